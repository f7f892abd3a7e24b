// Quantizes one weight matrix for one cell of a grid: the entry point for every kind of checkpoint.
#pragma once

#include "ptq/method.h"

namespace bitlaw {

// weights [rows, columns], row-major and finite. `input` may be null only for a method that is not
// calibrated, which then reports no errors. Passing a known rtn_error from another cell of the same
// matrix, scheme and basis saves a product. The same bits for any number of threads.
MatrixResult quantize_matrix(const MatrixCell& cell, InputSolver* input, const float* weights,
                             int64_t rows, int64_t columns, ThreadPool& pool,
                             double known_rtn_error = MatrixResult::kNone);

}  // namespace bitlaw
