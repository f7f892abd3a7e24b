#include "fit/penalty.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

Observation run_of(double params, double tokens, double bits, double loss) {
  Observation out{.params = params, .tokens = tokens, .loss_nats = loss};
  out.bits_weights = bits;
  return out;
}

class Penalty : public testing::Test {
 protected:
  const Law& law_ = law_named("kumar");
  const std::vector<double> values_{law_.constants[0].values.begin(),
                                    law_.constants[0].values.end()};

  // Runs that obey the law but for `error` nats, the same for all runs of a size.
  std::vector<Observation> study(double error) const {
    std::vector<Observation> out;
    for (const double params : {1e8, 2e8, 4e8}) {
      for (const double bits : {3.0, 4.0, 6.0, 16.0}) {
        Observation run = run_of(params, 1e10, bits, 1);
        run.loss_nats = predict(law_, values_.data(), run) + error * std::log(params);
        out.push_back(run);
      }
    }
    return out;
  }
};

TEST_F(Penalty, IsOneForTheLawItselfWhateverItMissesOfSize) {
  for (const double error : {0.0, 0.3}) {
    const PenaltyFit fit = penalty_fit(law_, values_, study(error));
    EXPECT_EQ(fit.rows, 9);
    EXPECT_EQ(fit.without_reference, 0);
    EXPECT_NEAR(fit.r2, 1, 1e-12);
  }
}

TEST_F(Penalty, IsThatOfTheDifferencesByHand) {
  std::vector<Observation> rows = study(0);
  rows.push_back(rows[3]);  // a second unquantized run of the first size
  rows.back().loss_nats += 0.02;
  // The three penalties of the first size are .01 smaller than the law's.
  double mean = 0, spread = 0;
  std::vector<double> penalties;
  for (int i = 0; i < 12; ++i) {
    if (i % 4 == 3) continue;
    penalties.push_back(rows[i].loss_nats - rows[i / 4 * 4 + 3].loss_nats - (i < 4 ? 0.01 : 0));
  }
  for (const double penalty : penalties) mean += penalty / 9;
  for (const double penalty : penalties) spread += (penalty - mean) * (penalty - mean);
  EXPECT_NEAR(penalty_fit(law_, values_, rows).r2, 1 - 3 * 1e-4 / spread, 1e-10);
}

TEST_F(Penalty, RunsWithoutAReferenceAreCounted) {
  std::vector<Observation> rows = study(0);
  rows.push_back(run_of(1e9, 1e10, 4, 2.5));
  const PenaltyFit fit = penalty_fit(law_, values_, rows);
  EXPECT_EQ(fit.rows, 9);
  EXPECT_EQ(fit.without_reference, 1);
  EXPECT_TRUE(std::isnan(penalty_fit(law_, values_, {rows[0], rows[3]}).r2)) << "one penalty";
}

}  // namespace
}  // namespace bitlaw
