// GPTQ (Frantar et al., 2022) rounds the columns of a weight matrix one after the other, and each
// column compensates for the errors of those before it, as far as the layer's inputs allow. With H
// from ptq/statistics.h, the squared error of the layer's output is
//
//   tr(E H E^T) / 2,  E = Q - W.
//
// Write H = R R^T with R upper triangular. Then tr(E H E^T) = sum_k |(E R)_k|^2, and column k of E
// R contains the errors of columns 0..k only. So, given the errors to its left and with the columns
// to its right still free, the best for column k is to make (E R)_k small:
//
//   q_k = round(w_k - sum_{i<k} e_i S_ik),   S_ik = R_ik / R_kk,   e_i = q_i - w_i.
//
// That is GPTQ's update (and Babai's nearest plane; Chen et al., 2025, arXiv 2507.18553) with one
// Cholesky factorisation of H and no inverse. Everything except the rounding itself (formats/) is
// in double; the sums over i are single chains of fused multiply-adds (src/linalg).
//
// Scales and zero points. Per channel they are those of RTN, fixed before the first column. Per
// group they are computed from the group's weights when its first column is due, after the feedback
// of all columns before it, as in the authors' implementation. With act-order (an order in the
// factor), the columns of a group are not rounded one after the other; then scales are those of
// RTN, computed from the original weights ("static groups" in the authors' code). So a group
// remains a run of consecutive columns, as every block format and every reader of such files
// expects, and no list of columns has to be stored. The price is that these scales do not follow
// the feedback.
#pragma once

#include "ptq/hessian_factor.h"
#include "ptq/method.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

// weights [rows, columns], row-major and finite; the factor's Hessian is [columns, columns]. The
// same bits for any number of threads.
QuantizedMatrix quantize_gptq(const WeightScheme& scheme, const float* weights, int64_t rows,
                              int64_t columns, const HessianFactor& factor, ThreadPool& pool);

MatrixResult round_by_gptq(const MatrixTask& task);  // the method `gptq`

}  // namespace bitlaw
