#include "ptq/quantize_matrix.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "ptq/awq.h"
#include "ptq/gptq.h"
#include "ptq/hessian_error.h"
#include "ptq/rotation.h"
#include "ptq/rtn.h"
#include "ptq/tiles.h"

namespace bitlaw {
namespace {

std::vector<float> rotated_weights(const float* weights, int64_t rows, int64_t columns,
                                   ThreadPool& pool) {
  std::vector<float> out(static_cast<size_t>(rows * columns));
  for_row_tiles(rows, pool, [&](int64_t begin, int64_t end, int) {
    rotate_rows(weights + begin * columns, end - begin, columns, rotation_width(columns),
                out.data() + begin * columns);
  });
  return out;
}

}  // namespace

const char* name_of(PtqMethod method) {
  switch (method) {
    case PtqMethod::kNone:
      return "none";
    case PtqMethod::kRtn:
      return "rtn";
    case PtqMethod::kGptq:
      return "gptq";
    case PtqMethod::kAwq:
      return "awq";
  }
  return "?";
}

MatrixResult quantize_matrix(const MatrixCell& cell, InputSolver* input, const float* weights,
                             int64_t rows, int64_t columns, ThreadPool& pool,
                             double known_rtn_error) {
  BITLAW_CHECK(cell.method != PtqMethod::kNone &&
               (input != nullptr || cell.method == PtqMethod::kRtn) &&
               (input == nullptr || columns == input->columns()) &&
               (!cell.act_order || cell.method == PtqMethod::kGptq));
  MatrixResult out;
  out.rtn_error = known_rtn_error;
  const std::vector<float> rotated =
      cell.rotated ? rotated_weights(weights, rows, columns, pool) : std::vector<float>();
  const float* target = cell.rotated ? rotated.data() : weights;
  const auto error_of = [&](const QuantizedMatrix& quantized) {
    return hessian_error(quantized, target, input->hessian(cell.rotated), pool);
  };
  if (cell.method == PtqMethod::kAwq) {
    AwqResult awq = quantize_awq(cell.scheme, target, rows, columns, input->magnitude(cell.rotated),
                                 input->hessian(cell.rotated), pool);
    out.quantized = std::move(awq.quantized);
    out.alpha = awq.alpha;
    out.error = awq.error;
    out.rtn_error = awq.rtn_error;
  } else if (cell.method == PtqMethod::kGptq) {
    const HessianFactor& factor = input->factor(cell.act_order, cell.rotated, cell.first_damping);
    out.quantized = quantize_gptq(cell.scheme, target, rows, columns, factor, pool);
    out.damping = factor.damping;
    out.failed_dampings = factor.failed_dampings;
    out.error = error_of(out.quantized);
    if (std::isnan(out.rtn_error))
      out.rtn_error = error_of(quantize_rtn(cell.scheme, target, rows, columns, pool));
  } else {
    out.quantized = quantize_rtn(cell.scheme, target, rows, columns, pool);
    if (input != nullptr && std::isnan(out.rtn_error)) out.rtn_error = error_of(out.quantized);
    out.error = out.rtn_error;
  }
  if (cell.rotated) out.quantized.rotation = rotation_width(columns);
  if (input != nullptr) {
    out.dead_columns = input->dead_columns();
    out.flagged = !(out.error <= out.rtn_error);
  }
  return out;
}

}  // namespace bitlaw
