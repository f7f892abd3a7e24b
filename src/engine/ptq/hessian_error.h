// tr(E H E^T), E = Q - W: twice the mean squared error of a layer's outputs on the calibration text,
// summed over the outputs. H as calibrated, without damping.
#pragma once

#include <vector>

#include "linalg/matrix.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

// Of the effective matrix. Rows are summed one after the other.
double hessian_error(const QuantizedMatrix& quantized, const float* weights,
                     const linalg::Matrix& hessian, ThreadPool& pool);

// Of each row by itself: effective and weights [rows, columns], errors [rows]. At least 0: what
// rounding of the sums leaves below is cut off. On the calling thread; `memory` is grown to what is
// needed.
void row_errors(const float* effective, const float* weights, int64_t rows,
                const linalg::Matrix& hessian, std::vector<double>& memory, double* errors);

}  // namespace bitlaw
