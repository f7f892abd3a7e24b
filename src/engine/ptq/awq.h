// AWQ (Lin et al., 2023): a weight with a large input matters more, so it gets a finer grid. Column
// c of W is multiplied by s_c before rounding and divided by it afterwards,
//
//   Q = round(W diag(s)) diag(s)^-1,   s_c = m_c^alpha / sqrt(max m^alpha min m^alpha),
//
// with m from ptq/statistics.h. alpha is the value among 0, 1/8 .. 8/8 with the least error tr(E H
// E^T), E = Q - W, refined to the best of it and its neighbours in sixteenths (of equal ones, the
// smallest). alpha = 0 is round-to-nearest bit for bit, so AWQ is never worse than that on the
// calibration text.
//
// The authors take the best of 20 steps of 1/20, and one s for all matrices that share an input,
// which lets the division move into the preceding layer. Here every matrix has its own s, because
// the question is how well that matrix can be rounded. Powers in sixteenths are products of square
// roots, which have the same bits on every machine, unlike pow. An input that was always zero gets
// the s of the smallest one that was not.
//
// Cost: at most eleven errors, each half a product of the size of GPTQ's feedback. A candidate is
// abandoned as soon as its error over the rows so far exceeds that of the best one over all rows.
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.h"
#include "ptq/method.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

inline constexpr int kAwqSteps = 16;  // alpha = step / kAwqSteps

// s [columns] for alpha = step / kAwqSteps; ones for step 0, or if all inputs are alike. magnitude
// [columns] >= 0.
std::vector<float> awq_scales(std::span<const float> magnitude, int step);

struct AwqResult {
  QuantizedMatrix quantized;  // column_scale is s; empty if alpha is 0
  double alpha = 0;
  double error = 0;      // tr(E H E^T)
  double rtn_error = 0;  // the same of round-to-nearest
};

// weights [rows, columns], row-major and finite; magnitude [columns]; hessian [columns, columns].
// The same bits for any number of threads.
AwqResult quantize_awq(const WeightScheme& scheme, const float* weights, int64_t rows,
                       int64_t columns, std::span<const float> magnitude,
                       const linalg::Matrix& hessian, ThreadPool& pool);

MatrixResult round_by_awq(const MatrixTask& task);  // the method `awq`

}  // namespace bitlaw
