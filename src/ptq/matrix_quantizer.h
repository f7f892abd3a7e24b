// Post-training quantization of one weight matrix W [out, in], row by row.
//
// Round to nearest (RTN) rounds every weight by itself. GPTQ (Frantar et al., 2022) rounds the
// columns from left to right and lets every column make up for the errors of those before it, as
// far as the layer's inputs allow: with H = 2/n X^T X of n input rows X, the squared error of the
// layer's output is
//
//   tr(E H E^T) / 2,  E = Q - W.
//
// Write H = R R^T with R upper triangular. Then tr(E H E^T) = sum_k |(E R)_k|^2, and column k of E
// R holds the errors of columns 0..k only. So what is best for column k, when the errors to its
// left are given and the columns to its right are still free, is to make (E R)_k small:
//
//   q_k = round(w_k - sum_{i<k} e_i S_ik),   S_ik = R_ik / R_kk,   e_i = q_i - w_i.
//
// That is GPTQ's update (and Babai's nearest plane; Chen et al., 2025, arXiv 2507.18553) with one
// Cholesky factorisation of H and no inverse. Everything but the rounding itself, which is
// formats/, is in double.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "formats/quantizer.h"
#include "ops/quantize.h"

namespace bitlaw {

// A weight matrix as codes and scales: value[r,c] = codes[r,c] * scales[r, c / group].
struct QuantizedMatrix {
  Format format;
  int group = 0;  // entries of a row that share a scale; 0: the whole row (per channel)
  int64_t rows = 0, columns = 0;
  std::vector<float> codes;   // [rows, columns]
  std::vector<float> scales;  // [rows, groups_per_row()]

  int64_t groups_per_row() const { return group == 0 ? 1 : (columns + group - 1) / group; }
  float value(int64_t r, int64_t c) const {  // float product, as formats/quantizer.h defines it
    return codes[static_cast<size_t>(r * columns + c)] *
           scales[static_cast<size_t>(r * groups_per_row() + (group == 0 ? 0 : c / group))];
  }
  // What a product takes: BF16 codes and row scales per channel where the codes fit BF16, else the
  // values in F32.
  Operand operand() const;
};

// What GPTQ needs of a Hessian, whatever the format and group: made once, shared by every cell.
struct HessianFactor {
  Eigen::MatrixXd feedback;  // [in, in] S above the diagonal, ones on it, zeros below
  double damping = 0;        // times the mean live diagonal entry was added to the diagonal
  std::vector<double> failed_dampings;  // the rungs of the ladder tried before, in order
  int64_t dead_columns = 0;             // inputs that were zero on all of the calibration text
};

// Factors H [in, in] (symmetric, positive semidefinite). Starts at `first_damping` and takes ten
// times as much after every failure. A dead column (H_kk = 0) is cut off from the others: its
// weights are rounded to nearest and neither give nor take feedback, because the calibration says
// nothing about them. Throws Error where H is not finite or no rung up to 1000 succeeds.
HessianFactor factor_hessian(const Eigen::MatrixXd& hessian, double first_damping);

// RTN of weights [rows, columns], row-major; equals quantize_reference() bit for bit. `format` has
// a scale; group 0 is per channel. The weights are finite.
QuantizedMatrix quantize_rtn(const Format& format, int group, const float* weights, int64_t rows,
                             int64_t columns, ThreadPool& pool);

// GPTQ of the same. Scales are those of RTN per channel (abs-max of the row, fixed before the first
// column); for groups they come from the abs-max of the group's weights when the first of them is
// rounded, after the feedback of all columns before the group, as in the authors' implementation.
// The same bits for any number of threads.
QuantizedMatrix quantize_gptq(const Format& format, int group, const float* weights, int64_t rows,
                              int64_t columns, const HessianFactor& factor, ThreadPool& pool);

// tr((Q - W) H (Q - W)^T), H as calibrated (no damping), summed row by row.
double hessian_error(const QuantizedMatrix& quantized, const float* weights,
                     const Eigen::MatrixXd& hessian, ThreadPool& pool);

}  // namespace bitlaw
