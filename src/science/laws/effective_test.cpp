#include "laws/effective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

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
  const Parts all{true, true, true};
  EXPECT_NEAR(best_bits(kumar(), published(kumar()).data(), 1e8, 1e10, all), 7.00, 5e-3);
  EXPECT_NEAR(best_bits(kumar(), published(kumar(), "tied").data(), 1e8, 1e10, all), 7.64, 5e-3);
  const Law& without = *find_law("kumar-no-offsets");
  EXPECT_NEAR(best_bits(without, published(without).data(), 1e8, 1e10, all), 3.47, 5e-3);
  // P f'/f = 1 for one part alone.
  const std::vector<double> p = published(kumar());
  const double bits = best_bits(kumar(), p.data(), 1e8, 1e10, {true, false, false});
  const double f = capacity(bits, p[Kumar::kGammaW], p[Kumar::kNW]);
  EXPECT_NEAR(bits * (1 - f) / p[Kumar::kGammaW] / f, 1, 1e-5);
  // A law that gains with every bit is best at the most, one that gains nothing at the fewest.
  std::vector<double> ends = p;
  ends[Kumar::kGammaW] = 40, ends[Kumar::kNW] = 0.25;
  EXPECT_EQ(best_bits(kumar(), ends.data(), 1e8, 1e10, {true, false, false}), 16);
  ends[Kumar::kGammaW] = 0.1, ends[Kumar::kNW] = 0;
  EXPECT_EQ(best_bits(kumar(), ends.data(), 1e8, 1e10, {true, false, false}), 1);
  const Law& chinchilla = *find_law("chinchilla");
  EXPECT_TRUE(std::isnan(best_bits(chinchilla, published(chinchilla).data(), 1e8, 1e10, all)));
}

// Below P0 training diverges, and so steep a part is best just above.
TEST(Effective, BestBitsNextToDivergence) {
  std::vector<double> p = published(kumar());
  for (const double zero : {2.2, 2.9, 2.999, 3.0, 3.001, 3.5}) {
    for (const double gamma : {0.1, 0.01, 1e-3, 1e-4}) {
      p[Kumar::kGammaW] = gamma, p[Kumar::kNW] = zero / gamma;
      const double bits = best_bits(kumar(), p.data(), 1e8, 1e10, {true, false, false});
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
      // Differences over h = 0.01 of log D err by (beta^2 - gamma_D^2) h^2 / 6, under 1e-6.
      EXPECT_NEAR(critical_tokens(kumar(), p.data(), params, bits) / closed, 1, 1e-6);
    }
  }
  EXPECT_NEAR(critical_tokens(kumar(), p.data(), 30e6, 3) / 30e6, 177, 1);
  EXPECT_NEAR(critical_tokens(kumar(), p.data(), 220e6, 6) / 220e6, 7566, 50);
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

}  // namespace
}  // namespace bitlaw
