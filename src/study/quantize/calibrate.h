// Calibration: the statistics of the inputs x_t of each projection on calibration text
// (ptq/statistics.h).
//
// Inputs are those of the unquantized model, all layers in one pass, so that one calibration serves
// every method, format and group. (The authors' code of GPTQ feeds each layer the outputs of the
// already quantized layers, which ties a Hessian to one cell.) They are recorded as the product
// sees them: after the recipe's activation quantizer, which for a BF16 model rounds to BF16.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "model/model.h"
#include "ptq/statistics.h"

namespace bitlaw {

struct Calibration {
  int64_t tokens = 0;
  std::vector<InputStatistics> inputs;  // [layer * kProjections + projection]

  const InputStatistics& input(int64_t layer, Projection projection) const {
    return inputs[static_cast<size_t>(layer * kProjections + static_cast<int64_t>(projection))];
  }
};

// `model` must be prepared; each of `windows` has T + 1 tokens. Windows are added in order, so the
// bits do not depend on the number of threads. Backend and instruction set are taken from `like`.
// Memory: 8 in^2 bytes per projection, and the inputs of one window (4 T in bytes) per thread. With
// scales per batch, windows form batches as in per_token_losses (model/evaluate.h), and the inputs of
// a whole batch are in memory.
// Error if an input is not finite.
Calibration calibrate(const Model& model, const Parameters& parameters,
                      std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                      const Context& like = {});

}  // namespace bitlaw
