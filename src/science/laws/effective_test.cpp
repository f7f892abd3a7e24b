#include "laws/effective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/search.h"
#include "laws/forms/kumar.h"

namespace bitlaw {
namespace {

const Law& kumar() {
  return *find_law("kumar");
}
std::vector<double> published(const Law& law, const char* set = "") {
  const std::span<const double> values = find_constants(law, set)->values;
  return {values.begin(), values.end()};
}

Observation run_of(double params, double tokens, double w, double a, double kv) {
  Observation run;
  run.params = params, run.tokens = tokens;
  run.bits_weights = w, run.bits_activations = a, run.bits_kv = kv;
  return run;
}

// Of Kumar's law the share is the product of f, at any N and D.
TEST(Effective, ShareIsTheAuthorsOwn) {
  const std::vector<double> p = published(kumar());
  for (const double bits : {4.0, 5.0, 6.0, 8.0, 16.0}) {
    const double expected = capacity(bits, p[Kumar::kGammaW], p[Kumar::kNW]) *
                            capacity(bits, p[Kumar::kGammaA], p[Kumar::kNA]);
    for (const double params : {1e7, 1e11}) {
      // Losses carry rounding of 1e-16 of 3 nats, of which size is worth as little as 0.01.
      EXPECT_NEAR(
          effective_share(kumar(), p.data(), run_of(params, 1e10, bits, bits, kUnlimitedBits)) /
              expected,
          1, 1e-11);
    }
  }
}

TEST(Effective, BestBitsOfThePublishedConstants) {
  EXPECT_NEAR(best_bits(kumar(), published(kumar()).data(), 1e20, kAllParts), 7.00, 5e-3);
  EXPECT_NEAR(best_bits(kumar(), published(kumar(), "tied").data(), 1e20, kAllParts), 7.64, 5e-3);
  const Law& without = *find_law("kumar-no-offsets");
  EXPECT_NEAR(best_bits(without, published(without).data(), 1e20, kAllParts), 3.47, 5e-3);
  // P f'/f = 1 for one part alone. The condition changes by about 0.3 per bit.
  const std::vector<double> p = published(kumar());
  const double bits = best_bits(kumar(), p.data(), 1e20, {true, false, false});
  const double f = capacity(bits, p[Kumar::kGammaW], p[Kumar::kNW]);
  EXPECT_NEAR(bits * (1 - f) / p[Kumar::kGammaW] / f, 1, 1e-8);
  // A law that gains with every bit is best at the most, one that gains nothing at the fewest.
  std::vector<double> ends = p;
  ends[Kumar::kGammaW] = 40, ends[Kumar::kNW] = 0.25;
  EXPECT_EQ(best_bits(kumar(), ends.data(), 1e20, {true, false, false}), kMostBits);
  ends[Kumar::kGammaW] = 1, ends[Kumar::kNW] = 0;
  EXPECT_EQ(best_bits(kumar(), ends.data(), 1e20, {true, false, false}), kFewestBits);
}

// N_eff_x = 1 in all bits: nothing to gain or to lose, which is no precision at all.
TEST(Effective, LawsThatFeelNoBitsHaveNoBest) {
  for (const char* name : {"chinchilla", "gadre", "muennighoff", "ouyang-qid"}) {
    const Law& law = *find_law(name);
    const std::vector<double> p = published(law);
    EXPECT_FALSE(feels_bits(law, p.data())) << name;
    EXPECT_TRUE(std::isnan(best_bits(law, p.data(), 1e20, kAllParts))) << name;
    EXPECT_TRUE(std::isnan(effective_share(law, p.data(), run_of(1e8, 1e10, 4, 4, 4)))) << name;
  }
  // This one knows the bits of weights alone.
  const Law& floating = *find_law("sun-fp");
  const std::vector<double> p = published(floating);
  EXPECT_TRUE(std::isnan(best_bits(floating, p.data(), 1e20, {false, false, true})));
  EXPECT_GT(best_bits(floating, p.data(), 1e20, {true, false, false}), kFewestBits);
}

// The least loss of 6 N D P / 16 = C over N and P, by nested golden sections over all of both.
double best_bits_by_force(const Law& law, const double* p, double compute) {
  const auto least_loss = [&](double bits) {
    const double log_product = std::log(compute / 6 * 16 / bits);
    return golden_section(
               [&](double log_params) {
                 const double params = std::exp(log_params);
                 return predict(law, p,
                                run_of(params, std::exp(log_product) / params, bits, bits, bits));
               },
               5, log_product - 5, 1e-9)
        .value;
  };
  return golden_section(least_loss, 3, 20, 1e-6).x;
}

// Also where bits cost data, or both, or depend on the budget.
TEST(Effective, BestBitsAreTheBestUseOfABudget) {
  for (const char* name :
       {"kumar", "kumar-additive", "kumar-deff", "kumar-both-tied", "panferov", "additive-exp"}) {
    const Law& law = *find_law(name);
    const std::vector<double> p = published(law);
    for (const double compute : {1e19, 1e22}) {
      // A loss near 3 known to 4e-16 places the bottom of a valley to about 1e-6 of its width.
      EXPECT_NEAR(best_bits(law, p.data(), compute, kAllParts),
                  best_bits_by_force(law, p.data(), compute), 2e-5)
          << name << " " << compute;
    }
  }
  // E + A/N^alpha + B/(D f)^beta: f / P; both under f: f^2 / P. With Kumar's f and tied bits.
  const std::vector<double> p = published(kumar());
  const auto best_of = [&](double power) {
    return golden_section(
               [&](double bits) {
                 return std::log(bits) -
                        power * log_share(kumar(), p.data(), run_of(1, 1, bits, bits, bits));
               },
               3, 20, 1e-9)
        .x;
  };
  EXPECT_NEAR(best_bits(*find_law("kumar-deff"), p.data(), 1e20, kAllParts), best_of(1), 1e-6);
  EXPECT_NEAR(best_bits(*find_law("kumar-both-tied"), p.data(), 1e20, kAllParts), best_of(2), 1e-6);
}

// The closed form and the search that laws without one get.
TEST(Effective, ShareIsWhatTheLossOfARunWasWorth) {
  for (const Law& law : laws()) {
    if (!law.has_share || !law.uses_bits) continue;
    const std::vector<double> p = published(law);
    const Observation run = run_of(1e8, 1e10, 5, 7, 6);
    EXPECT_NEAR(share_at_loss(law, p.data(), run, predict(law, p.data(), run)) /
                    std::exp(log_share(law, p.data(), run)),
                1, 1e-11)
        << law.name;
  }
}

// Below P0 training diverges, and so steep a part is best just above.
TEST(Effective, BestBitsNextToDivergence) {
  std::vector<double> p = published(kumar());
  for (const double zero : {2.2, 2.9, 2.999, 3.0, 3.001, 3.5}) {
    for (const double gamma : {0.1, 0.01, 1e-3, 1e-4}) {
      p[Kumar::kGammaW] = gamma, p[Kumar::kNW] = zero / gamma;
      const double bits = best_bits(kumar(), p.data(), 1e20, {true, false, false});
      EXPECT_GE(bits, zero) << gamma;
      EXPECT_LT(bits, zero + 1.001) << gamma;
    }
  }
  EXPECT_TRUE(std::isnan(effective_share(kumar(), p.data(), run_of(1e8, kUnknown, 4, 4, 4))));
  EXPECT_FALSE(predict(kumar(), p.data(), run_of(1e8, 1e10, kUnknown, 4, 4)) > 0);
}

TEST(Effective, CriticalTokensAreTheClosedForm) {
  const std::vector<double> p = published(kumar());
  for (const double params : {30e6, 220e6}) {
    for (const double bits : {3.0, 4.0, 5.0, 6.0}) {
      const double closed =
          std::pow(p[Kumar::kBeta] * p[Kumar::kB] * std::pow(params, p[Kumar::kGammaN]) *
                       std::exp(bits / p[Kumar::kGammaPost] - p[Kumar::kOffsetPost]) /
                       (p[Kumar::kGammaD] * p[Kumar::kCT]),
                   1 / (p[Kumar::kGammaD] + p[Kumar::kBeta]));
      // Five points h = 0.01 of log D apart err by h^4 beta^4 / 30, under 1e-9.
      EXPECT_NEAR(critical_tokens(kumar(), p.data(), params, bits) / closed, 1, 1e-9);
    }
  }
  // Where the data term has long sunk below the digits of the loss, too.
  std::vector<double> steep = p;
  steep[Kumar::kBeta] = 2;
  EXPECT_LT(critical_tokens(kumar(), steep.data(), 30e6, 3), 1e9);
  EXPECT_GT(critical_tokens(kumar(), steep.data(), 30e6, 3), 1e3);
  std::vector<double> shrinking = p;
  shrinking[Kumar::kGammaD] = -0.1;
  EXPECT_TRUE(std::isinf(critical_tokens(kumar(), shrinking.data(), 30e6, 4)));
  const Law& chinchilla = *find_law("chinchilla");
  EXPECT_TRUE(std::isnan(critical_tokens(chinchilla, published(chinchilla).data(), 30e6, 4)));
}

// The paper's numbers.
TEST(Effective, CriticalTokensPerParameter) {
  const std::vector<double> p = published(kumar());
  struct Row {
    double params, bits, tokens_per_param, tolerance;
  };
  for (const Row& row : {Row{30e6, 3, 177, .5}, Row{30e6, 4, 959, .5}, Row{30e6, 5, 5185, .5},
                         Row{30e6, 6, 28000, 500}, Row{220e6, 3, 48, .5}, Row{220e6, 4, 259, .5},
                         Row{220e6, 5, 1400, .5}, Row{220e6, 6, 7566, .5}}) {
    EXPECT_NEAR(critical_tokens(kumar(), p.data(), row.params, row.bits) / row.params,
                row.tokens_per_param, row.tolerance);
  }
}

TEST(Effective, CriticalTokensAreTheBottomOfTheU) {
  for (const char* name : {"kumar", "kumar-no-offsets", "ouyang-qid"}) {
    const Law& law = *find_law(name);
    const std::vector<double> p = published(law);
    for (const double bits : {3.0, 4.0, 5.5}) {
      Observation run = run_of(1e8, 1, kUnlimitedBits, kUnlimitedBits, kUnlimitedBits);
      run.bits_post = bits;
      const auto loss = [&](double log_tokens) {
        run.tokens = std::exp(log_tokens);
        return predict(law, p.data(), run);
      };
      EXPECT_NEAR(critical_tokens(law, p.data(), 1e8, bits) / std::exp(minimise(loss, 10, 40).x), 1,
                  1e-6)
          << name;
    }
  }
}

TEST(Effective, NumbersHoldInTheMiddleOfATableAndForTheNextBudget) {
  std::vector<Observation> runs{run_of(1e8, 4e9, 16, 16, 16), run_of(4e8, 1e9, 16, 16, 16)};
  runs[0].group = runs[1].group = 64;
  EXPECT_DOUBLE_EQ(middle_of(runs).run.params, 2e8);
  EXPECT_DOUBLE_EQ(middle_of(runs).run.tokens, 2e9);
  EXPECT_DOUBLE_EQ(middle_of(runs).next_compute, 10 * 6 * 4e17);
  EXPECT_EQ(middle_of(runs).run.group, 64);
  runs[1].group = 128;
  EXPECT_TRUE(std::isnan(middle_of(runs).run.group));
}

}  // namespace
}  // namespace bitlaw
