// The statistics that quantization needs, one per projection: of the inputs x_t that the projection
// sees on calibration text (ptq/statistics.h).
//
// The inputs are those of the unquantized model, all layers in one pass, so that one calibration
// serves every method, format and group. (The authors' code of GPTQ feeds each layer the outputs of
// the layers already quantized, which ties a Hessian to one cell.) They are taken as the product
// takes them: after the activation quantizer of the recipe, which for a BF16 model rounds to BF16.
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

// `model` is prepared, `windows` hold T + 1 tokens each. Windows are added in their order, so that
// the bits do not depend on the number of threads. Backend and instruction set are those of `like`.
// Memory: 8 in^2 bytes a projection, and the inputs of one window (4 T in) a thread. Throws Error
// where an input is not finite.
Calibration calibrate(const Model& model, const Parameters& parameters,
                      std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                      const Context& like = {});

}  // namespace bitlaw
