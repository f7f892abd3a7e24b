// Studies drawn from known constants, for the tests of this folder.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "laws/kumar.h"
#include "laws/registry.h"

namespace bitlaw {

// Constants that suit models of 0.1 M to 1 M parameters.
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

// Each part lowered alone beside the BF16 run; the BF16 runs quantized afterwards.
inline std::vector<Observation> simulate(
    const StudyShape& shape, const std::vector<double>& constants = small_model_constants()) {
  const Law& law = *find_law("kumar");
  std::vector<Observation> rows;
  const auto add = [&](double n, double d, double w, double a, double kv) {
    Observation run;
    run.params = n, run.tokens = d;
    run.bits_weights = w, run.bits_activations = a, run.bits_kv = kv;
    run.cluster = fmt::format("{} {} {} {} {}", n, d, w, a, kv);
    run.loss_nats = predict(law, constants.data(), run) *
                    std::exp(shape.noise * random_normal(shape.seed, 0, rows.size()));
    rows.push_back(run);
    return run;
  };
  for (const double n : shape.params) {
    for (const double d : shape.tokens) {
      const Observation plain = add(n, d, 16, 16, 16);
      for (const double bits : shape.weights) add(n, d, bits, 16, 16);
      for (const double bits : shape.activations) add(n, d, 16, bits, 16);
      for (const double bits : shape.kv) add(n, d, 16, 16, bits);
      for (const double bits : shape.post) {
        Observation cell = plain;
        cell.bits_post = bits;
        cell.delta_nats = predict_delta(law, constants.data(), cell) +
                          shape.delta_error * random_normal(shape.seed, 1, rows.size());
        cell.delta_standard_error = shape.delta_error;
        cell.loss_nats = plain.loss_nats + cell.delta_nats;
        rows.push_back(cell);
      }
    }
  }
  return rows;
}

}  // namespace bitlaw
