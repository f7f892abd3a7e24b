// Studies of the size of our own runs, for the tests of this folder.
#pragma once

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

}  // namespace bitlaw
