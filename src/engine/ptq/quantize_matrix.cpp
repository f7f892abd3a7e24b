#include "ptq/quantize_matrix.h"

#include <cmath>

#include "base/error.h"
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

// What the method did not say itself.
void complete_errors(const MatrixTask& task, double known_rtn_error, MatrixResult& out) {
  const auto error_of = [&](const QuantizedMatrix& quantized) {
    return hessian_error(quantized, task.weights, task.input->hessian(task.cell.rotated),
                         task.pool);
  };
  if (std::isnan(out.error)) out.error = error_of(out.quantized);
  if (task.cell.method->round == round_by_rtn) out.rtn_error = out.error;
  if (std::isnan(out.rtn_error)) out.rtn_error = known_rtn_error;
  if (std::isnan(out.rtn_error)) out.rtn_error = error_of(round_by_rtn(task).quantized);
  out.dead_columns = task.input->dead_columns();
  out.flagged = !(out.error <= out.rtn_error);
}

}  // namespace

MatrixResult quantize_matrix(const MatrixCell& cell, InputSolver* input, const float* weights,
                             int64_t rows, int64_t columns, ThreadPool& pool,
                             double known_rtn_error) {
  const PtqMethod& method = *cell.method;
  BITLAW_CHECK(method.round != nullptr && (input != nullptr || !method.calibrated) &&
               (input == nullptr || columns == input->columns()) &&
               (!cell.act_order || method.orders_columns));
  const std::vector<float> rotated =
      cell.rotated ? rotated_weights(weights, rows, columns, pool) : std::vector<float>();
  const MatrixTask task{cell, cell.rotated ? rotated.data() : weights, rows, columns, input, pool};
  MatrixResult out = method.round(task);
  if (input != nullptr) complete_errors(task, known_rtn_error, out);
  if (cell.rotated) out.quantized.rotation = rotation_width(columns);
  return out;
}

}  // namespace bitlaw
