#include "laws/registry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace bitlaw {
namespace {

Observation quantized_run() {
  Observation run;
  run.params = 3e7, run.tokens = 3e9;
  run.bits_weights = 6, run.bits_activations = 7, run.bits_kv = 5;
  return run;
}

Observation post_training_cell() {
  Observation run = quantized_run();
  run.bits_weights = run.bits_activations = run.bits_kv = kUnquantizedBits;
  run.bits_post = 4;
  return run;
}

TEST(Registry, NamesAreUniqueAndFound) {
  std::set<std::string> seen;
  for (const Law& law : laws()) {
    EXPECT_TRUE(seen.insert(law.name).second) << law.name;
    EXPECT_EQ(find_law(law.name), &law);
    EXPECT_GE(law.constants.size(), 1u);
    std::set<std::string> symbols;
    for (const Parameter& p : law.parameters) EXPECT_TRUE(symbols.insert(p.name).second) << p.name;
  }
  EXPECT_EQ(find_law("kumer"), nullptr);
  EXPECT_EQ(parameter_index(*find_law("kumar"), "gamma_post"), 14);
  EXPECT_EQ(parameter_index(*find_law("kumar"), "gamma"), -1);
  EXPECT_EQ(find_constants(*find_law("chinchilla"), "")->values[0], 1.69337);
  EXPECT_EQ(find_constants(*find_law("chinchilla"), "besiroglu")->values[0], 1.8172);
}

TEST(Registry, TrainingParametersComeFirstAndPublishedValuesAreInRange) {
  for (const Law& law : laws()) {
    for (size_t j = 0; j < law.parameters.size(); ++j) {
      const Parameter& p = law.parameters[j];
      EXPECT_EQ(p.stage == Stage::kTraining, j < law.training_parameters)
          << law.name << " " << p.name;
      EXPECT_LE(p.low, p.start_low) << p.name;
      EXPECT_LT(p.start_low, p.start_high) << p.name;
      EXPECT_LE(p.start_high, p.high) << p.name;
      for (const ConstantSet& set : law.constants) {
        const double walked =
            p.scale == Scale::kTimesLast ? set.values[j] * set.values[j - 1] : set.values[j];
        EXPECT_GE(walked, p.low) << law.name << " " << p.name;
        EXPECT_LE(walked, p.high) << law.name << " " << p.name;
      }
    }
  }
}

// Every law of the table, both parts, at its published constants.
TEST(Registry, DerivativesAgreeWithCentralDifferences) {
  for (const Law& law : laws()) {
    for (const bool post : {false, true}) {
      const Evaluate evaluate = post ? law.delta : law.loss;
      if (!evaluate) continue;
      const Observation run = post ? post_training_cell() : quantized_run();
      const size_t width = post ? law.parameters.size() : law.training_parameters;
      std::vector<double> p(law.constants[0].values.begin(), law.constants[0].values.end());
      for (double& value : p) value = value == 1000 ? 0.5 : value;  // a smooth bracket
      double value = 0;
      std::vector<double> gradient(width);
      evaluate(p.data(), &run, 1, &value, gradient.data());
      for (size_t j = 0; j < width; ++j) {
        // Relative steps of 6e-6 (the cube root of rounding) leave errors near 1e-10 of the value.
        const double h = 6e-6 * std::abs(p[j]);
        std::vector<double> up = p, down = p;
        up[j] += h, down[j] -= h;
        double above = 0, below = 0;
        evaluate(up.data(), &run, 1, &above, nullptr);
        evaluate(down.data(), &run, 1, &below, nullptr);
        EXPECT_NEAR(gradient[j] * p[j], (above - below) / (2 * h) * p[j], 1e-8 * std::abs(value))
            << law.name << " " << law.parameters[j].name;
      }
    }
  }
}

TEST(Registry, LinearParametersAreLinear) {
  for (const Law& law : laws()) {
    const Observation run = quantized_run();
    std::vector<double> p(law.constants[0].values.begin(), law.constants[0].values.end());
    double sum = 0, value = 0;
    std::vector<double> gradient(law.training_parameters);
    law.loss(p.data(), &run, 1, &value, gradient.data());
    for (size_t j = 0; j < law.training_parameters; ++j) {
      if (law.parameters[j].linear) sum += p[j] * gradient[j];
    }
    EXPECT_NEAR(sum, value, 1e-14 * value) << law.name;  // loss = sum over linear p of p dL/dp
  }
}

TEST(Registry, ValuesDoNotDependOnWhetherDerivativesAreWanted) {
  for (const Law& law : laws()) {
    const Observation run = quantized_run();
    std::vector<double> gradient(law.training_parameters);
    double plain = 0, dual = 0;
    law.loss(law.constants[0].values.data(), &run, 1, &plain, nullptr);
    law.loss(law.constants[0].values.data(), &run, 1, &dual, gradient.data());
    EXPECT_DOUBLE_EQ(plain, dual) << law.name;
  }
}

}  // namespace
}  // namespace bitlaw
