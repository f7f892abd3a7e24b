// tr(E H E^T), E = Q - W: twice the mean squared error of a layer's outputs on the calibration
// text, summed over the outputs. H [columns, columns] is undamped.
#pragma once

#include <vector>

#include "linalg/matrix.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

// Error of the effective matrix; rows are summed in order.
double hessian_error(const QuantizedMatrix& quantized, const float* weights,
                     const linalg::Matrix& hessian, ThreadPool& pool);

// Error of each row: effective and weights [rows, columns], errors [rows]. Negative results of
// rounding are set to 0. Runs on the calling thread; `memory` is resized as needed.
void row_errors(const float* effective, const float* weights, int64_t rows,
                const linalg::Matrix& hessian, std::vector<double>& memory, double* errors);

}  // namespace bitlaw
