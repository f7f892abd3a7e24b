#include "design/quantity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "laws/forms/chinchilla.h"
#include "laws/forms/kumar.h"

namespace bitlaw {
namespace {

double value_of(const std::string& text, std::vector<double> p = {}) {
  const Law& law = *find_law("kumar");
  if (p.empty()) p.assign(Kumar::kPublished.begin(), Kumar::kPublished.end());
  Observation row;
  row.params = 3e7, row.tokens = 1e9;
  return parse_quantity(text, law, {row}).of(p.data());
}

// Half a unit of the last digit that the paper's constants give by its own formulas.
TEST(Quantity, PublishedConstantsGiveThePapersNumbers) {
  EXPECT_NEAR(value_of("P*"), 7.00, 0.005);
  std::vector<double> tied(Kumar::kPublishedTied.begin(), Kumar::kPublishedTied.end());
  EXPECT_NEAR(value_of("P*", tied), 7.64, 0.005);
  EXPECT_NEAR(value_of("N_eff_w:4"), 0.696, 0.0005);
  EXPECT_NEAR(value_of("N_eff_a:6"), 0.730, 0.0005);
  EXPECT_NEAR(value_of("D_crit:3") / 3e7, 177, 0.5);
  EXPECT_NEAR(value_of("D_crit:4@N=220e6") / 220e6, 259, 0.5);
  EXPECT_NEAR(value_of("alpha"), 0.4965, 1e-15);
}

// P f'(P) / f(P) = 1 at P*, with f the product over the parts; of one part, f_x alone.
TEST(Quantity, TheBestPrecisionIsWhereBitsAreWorthTheirCost) {
  const auto log_f = [](double bits, bool all) {
    const auto& p = Kumar::kPublished;
    const auto f = [&](int gamma, int n) {
      return std::log(1 - std::exp(-bits / p[gamma] + p[n]));
    };
    return f(Kumar::kGammaW, Kumar::kNW) +
           (all ? f(Kumar::kGammaA, Kumar::kNA) + f(Kumar::kGammaKv, Kumar::kNKv) : 0);
  };
  for (const bool all : {true, false}) {
    const double best = value_of(all ? "P*" : "P*_w"), h = 1e-4;
    EXPECT_NEAR(best * (log_f(best + h, all) - log_f(best - h, all)) / (2 * h), 1, 1e-5);
  }
}

TEST(Quantity, ALossIsThatOfTheRun) {
  Observation run;
  run.params = 1e8, run.tokens = 2e9, run.bits_weights = 4, run.bits_post = 3;
  EXPECT_EQ(value_of("loss@N=1e8,D=2e9,P_w=4,P_post=3"),
            predict(*find_law("kumar"), Kumar::kPublished.data(), run));
}

TEST(Quantity, MistakesGetOneSentence) {
  const Law& law = *find_law("kumar");
  for (const char* text : {"", "P**", "P*:3", "P*@N=1e9", "N_eff:4@N=1e9", "gama_w", "D_crit",
                           "D_crit:x", "D_crit:4@D=3", "N_eff:", "N_eff_x:4", "loss", "loss@N=1e8",
                           "loss@N=1e8,D=1e9,Q=3", "loss@N"}) {
    EXPECT_THROW(parse_quantity(text, law, {}), Error) << text;
  }
  EXPECT_THROW(parse_quantity("P*", *find_law("chinchilla"), {}), Error);
  EXPECT_THROW(parse_quantity("D_crit:4", *find_law("chinchilla"), {}), Error);
  // Without a gain from fewer bits there is no best precision within what is searched.
  std::vector<double> flat(Kumar::kPublished.begin(), Kumar::kPublished.end());
  for (const int i : {Kumar::kNW, Kumar::kNA, Kumar::kNKv}) flat[i] = -50;
  EXPECT_TRUE(std::isnan(value_of("P*", flat)));
}

}  // namespace
}  // namespace bitlaw
