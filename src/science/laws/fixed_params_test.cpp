#include "laws/fixed_params.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "laws/effective.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

Observation run_of(double matrices, double rest) {
  Observation run;
  run.params = matrices, run.params_total = matrices + rest, run.tokens = 1e10;
  return run;
}

// A table whose embeddings follow a rule gives it back, and splits other totals by it.
TEST(FixedParams, AreMeasuredInATable) {
  std::vector<Observation> runs;
  for (const double matrices : {1e6, 1e7, 3e8}) {
    for (int twice = 0; twice < 2; ++twice) {
      runs.push_back(run_of(matrices, 7000 * std::pow(matrices, 0.4)));
    }
  }
  const FixedParams rule = fixed_params_of(runs);
  EXPECT_NEAR(rule.exponent, 0.4, 1e-12);
  EXPECT_NEAR(rule.scale / 7000, 1, 1e-10);
  EXPECT_NEAR(rule.spread, 0, 1e-12);
  EXPECT_EQ(rule.sizes, 3);
  for (double matrices = 1e4; matrices < 1e13; matrices *= 11) {
    EXPECT_NEAR(rule.matrices_of_total(rule.total(matrices)) / matrices, 1, 1e-9);
  }
  const FixedParams back = fixed_params_from(fixed_params_json(rule));
  EXPECT_EQ(back.scale, rule.scale);
  EXPECT_EQ(back.exponent, rule.exponent);
  EXPECT_FALSE(fixed_params_of(std::vector<Observation>{run_of(1e6, 0)}).is_known());
  EXPECT_FALSE(fixed_params_from(nullptr).is_known());
}

TEST(FixedParams, OneSizeHasTheExponentOfPublishedModels) {
  const FixedParams rule = fixed_params_of(std::vector<Observation>{run_of(1e7, 2e7)});
  EXPECT_EQ(rule.exponent, 0.39);
  EXPECT_NEAR(rule.share_of_total(3e7), 2.0 / 3, 1e-12);
}

TEST(FixedParams, QuantizedEmbeddingsAreNotFixed) {
  Observation run = run_of(1e7, 3e7);
  count_all_params(run);
  EXPECT_EQ(run.params, 4e7);
  EXPECT_EQ(run.fixed_share, 0.75);
  run = run_of(1e7, 3e7);
  run.bits_embedding = run.bits_head = 4;
  count_all_params(run);
  EXPECT_EQ(run.fixed_share, 0);
  run = run_of(1e7, 3e7);
  run.bits_embedding = 4, run.bits_head = 16;
  count_all_params(run);
  EXPECT_EQ(run.fixed_share, 0.375);
}

// Every law with N_eff: with a fixed share s, the law sees N (s + (1 - s) f), so that the loss is that
// of an unquantized model of so many parameters.
TEST(FixedParams, AreNotShrunkByAnyLaw) {
  for (const char* name :
       {"kumar", "kumar-no-offsets", "kumar-w-bracket", "kumar-multiplicative", "panferov"}) {
    const Law& law = *find_law(name);
    const double* p = law.constants[0].values.data();
    Observation run = run_of(1e8, 0);
    run.bits_weights = 4;
    const double f = effective_share(law, p, run);
    ASSERT_LT(f, 0.99) << name;
    const double all_shrunk = predict(law, p, run);
    for (const double share : {0.3, 0.7}) {
      run.fixed_share = share;
      EXPECT_NEAR(effective_share(law, p, run), share + (1 - share) * f, 1e-9) << name;
      Observation plain = run;
      plain.bits_weights = plain.bits_activations = plain.bits_kv = kUnlimitedBits;
      plain.params *= share + (1 - share) * f;
      plain.fixed_share = 0;
      Observation others = run;  // 16 bits of the other parts are not unlimited
      others.bits_activations = others.bits_kv = kUnlimitedBits;
      others.fixed_share = 0;
      EXPECT_LT(predict(law, p, run), all_shrunk) << name;
      // Table and single row alike.
      const std::vector<Observation> rows{run, plain};
      const Rows table(law, rows);
      std::vector<double> values(table.stride());
      evaluate_loss(law, p, table, values.data(), nullptr);
      EXPECT_NEAR(values[0], predict(law, p, run), 1e-12) << name;
      EXPECT_NEAR(values[0], values[1], 2e-9) << name;
    }
  }
}

// In a class law, too; and derivatives are those of differences.
TEST(FixedParams, DerivativesAreThoseOfDifferences) {
  const Law& law = *find_law("kumar");
  std::vector<double> p(law.constants[0].values.begin(), law.constants[0].values.end());
  std::vector<Observation> rows;
  for (const double share : {0.0, 0.2, 0.8}) {
    rows.push_back(run_of(1e8, 0));
    rows.back().bits_weights = 3, rows.back().bits_activations = 5, rows.back().fixed_share = share;
  }
  const Rows table(law, rows);
  std::vector<double> values(table.stride()), jacobian(table.stride() * law.training_parameters);
  evaluate_loss(law, p.data(), table, values.data(), jacobian.data());
  for (size_t j = 0; j < law.training_parameters; ++j) {
    const double h = 1e-5 * p[j];
    for (size_t i = 0; i < rows.size(); ++i) {
      auto at = [&](double by) {
        std::vector<double> moved = p;
        moved[j] += by;
        return predict(law, moved.data(), rows[i]);
      };
      const double slope = (at(h) - at(-h)) / (2 * h);
      EXPECT_NEAR(jacobian[j * table.stride() + i], slope, 1e-6 * std::fabs(slope) + 1e-9)
          << law.parameters[j].name;
    }
  }
}

}  // namespace
}  // namespace bitlaw
