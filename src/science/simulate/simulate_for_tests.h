// Studies of the size of our own runs, for the tests of this folder.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "laws/forms/kumar.h"
#include "laws/registry.h"
#include "simulate/simulate.h"

namespace bitlaw {

// Constants for models of 0.1 M to 1 M parameters.
inline std::vector<double> small_model_constants() {
  return {2.1, 260.0, 4200.0, 0.44, 0.53, 2.2,    0.35,         1.9,          0.9,         1.1,
          1.6, 0.02,  0.45,   0.30, 0.62, 1.1277, Kumar::kStep, Kumar::kStep, Kumar::kStep};
}

struct StudyShape {
  std::vector<double> params{1e5, 2e5, 4e5, 8e5};
  std::vector<double> tokens{2e6, 8e6, 32e6};
  std::vector<double> weights{3, 4, 6, 8}, activations{4, 6, 8}, kv{3, 4, 6};
  std::vector<double> post{3, 4, 5, 6};
  double noise = 1e-3;        // of log loss
  double delta_error = 1e-3;  // nats
  uint64_t seed = 1;
};

inline std::vector<Observation> simulate(
    const StudyShape& shape, const std::vector<double>& constants = small_model_constants()) {
  const Law& law = *find_law("kumar");
  StudyOptions options;
  options.params = shape.params, options.tokens = shape.tokens;
  options.weights = shape.weights, options.activations = shape.activations, options.kv = shape.kv;
  options.post = shape.post;
  options.noise = shape.noise, options.delta_noise = shape.delta_error;
  options.diverged = 1e6;
  options.seed = shape.seed;
  const std::vector<Observation> runs = design_runs(law, options);
  std::vector<Observation> rows = draw_study({bind_law(law, runs), constants}, runs, options).rows;
  for (Observation& row : rows) row.method.clear();
  return rows;
}

// Runs from which some constants cannot be told apart: the commonest tables that people have.
inline const std::vector<std::string>& confoundings() {
  static const std::vector<std::string> all{"equal-bits", "one-D", "one-N", "fixed-ratio",
                                            "one-precision"};
  return all;
}

// Runs without losses, for kumar; for chinchilla where the ratio D/N is fixed.
inline std::vector<Observation> confounded_runs(const std::string& confounding) {
  std::vector<Observation> out;
  const auto add = [&](double params, double tokens, double weights, double activations) {
    Observation run;
    run.params = params, run.tokens = tokens;
    run.bits_weights = weights, run.bits_activations = activations;
    out.push_back(run);
  };
  std::vector<double> sizes{1e5, 2e5, 4e5, 8e5}, tokens{2e6, 8e6, 32e6};
  if (confounding == "fixed-ratio") {
    for (const double size : sizes) {
      for (const double share : {1.0, 1.2, 1.4, 1.7}) add(share * size, 20 * share * size, 16, 16);
    }
    return out;
  }
  if (confounding == "one-D") tokens.assign(2, 8e6);
  if (confounding == "one-N") sizes.assign(2, 2e5);
  for (const double size : sizes) {
    for (const double count : tokens) {
      if (confounding == "one-precision") {
        add(size, count, 4, 4), add(1.4 * size, 2 * count, 4, 4);
        continue;
      }
      for (const double bits : {16, 3, 4, 6, 8})
        add(size, count, bits, confounding == "equal-bits" ? bits : 16);
    }
  }
  return out;
}

}  // namespace bitlaw
