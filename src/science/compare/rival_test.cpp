#include "compare/rival.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "laws/bind.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

FitOptions quick(const char* law) {
  return {.law = law, .starts = 16, .draws = 0, .hold_out = false};
}

// Losses of additive-exp at the same runs, with noise.
std::vector<Observation> additive() {
  std::vector<Observation> rows = simulate({.post = {}});
  const Law& law = law_named("additive-exp");
  const std::vector<double> values{2.1, 260, 4200, 0.44, 0.53, 0.3, 0.2, 2, 1.1, 3, 1.0, 1.5, 0.9};
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i].loss_nats =
        predict(law, values.data(), rows[i]) * std::exp(1e-3 * random_normal(9, 0, i));
  return rows;
}

TEST(Rival, AdditiveDataAreSaidToBeSo) {
  const std::vector<Observation> rows = additive();
  const Fit kumar = fit_law(rows, quick("kumar"));
  const auto rival = better_form(kumar, rows, quick("kumar"));
  ASSERT_TRUE(rival.has_value());
  EXPECT_EQ(rival->law, "additive-exp");
  EXPECT_GT(rival->aicc_lower, 100);
  EXPECT_NEAR(rival->values[3], 0.44, 0.03) << "alpha of the truth";
  EXPECT_NE(rival->sentence.find("additive-exp describes these rows better than kumar"),
            std::string::npos);
  EXPECT_NE(rival->sentence.find("alpha 0.4"), std::string::npos) << rival->sentence;
  EXPECT_NE(rival->sentence.find("best precision"), std::string::npos) << rival->sentence;
}

TEST(Rival, DataOfTheLawItselfHaveNone) {
  const std::vector<Observation> rows = simulate({.post = {}});
  EXPECT_FALSE(better_form(fit_law(rows, quick("kumar")), rows, quick("kumar")));
}

TEST(Rival, LawsWithoutEffectiveParametersAndRowsWithoutBitsHaveNone) {
  const std::vector<Observation> rows = additive();
  EXPECT_FALSE(better_form(fit_law(rows, quick("additive-exp")), rows, quick("additive-exp")));
  EXPECT_FALSE(better_form(fit_law(rows, quick("chinchilla")), rows, quick("chinchilla")));
  std::vector<Observation> plain = rows;
  std::erase_if(plain, [](const Observation& row) {
    return row.bits_weights < 16 || row.bits_activations < 16 || row.bits_kv < 16;
  });
  EXPECT_FALSE(better_form(fit_law(plain, quick("kumar")), plain, quick("kumar")));
}

}  // namespace
}  // namespace bitlaw
