// The Hessians that GPTQ needs, one per projection: H = 2/n sum_t x_t x_t^T over the n inputs x_t
// that the projection sees on calibration text, in double.
//
// The inputs are those of the unquantized model, all layers in one pass, so that one calibration
// serves every method, format and group. (The authors' code feeds each layer the outputs of the
// layers already quantized, which ties a Hessian to one cell.) They are taken as the product takes
// them: after the activation quantizer of the recipe, which for a BF16 model rounds to BF16.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "model/model.h"

namespace bitlaw {

struct Calibration {
  int64_t tokens = 0;                     // n
  std::vector<Eigen::MatrixXd> hessians;  // [layer * kProjections + projection], each [in, in]

  const Eigen::MatrixXd& hessian(int64_t layer, Projection projection) const {
    return hessians[static_cast<size_t>(layer * kProjections + static_cast<int64_t>(projection))];
  }
};

// `model` is prepared, `windows` hold T + 1 tokens each. Windows are added in their order, so that
// the bits do not depend on the number of threads. Backend and instruction set are those of `like`.
// Memory: 8 in^2 bytes a projection, and the inputs of one window (4 T in) a thread.
Calibration calibrate(const Model& model, const Parameters& parameters,
                      std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                      const Context& like = {});

}  // namespace bitlaw
