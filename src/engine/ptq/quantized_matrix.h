// A weight matrix W [out, in] after rounding: its codes, the scales and zero points of their
// blocks, and the transformation of W before rounding.
//
//   rounded(r, c) = (code(r, c) - zero(r, c / group)) scale(r, c / group)
//   effective     = rounded                   plain
//                   rounded(r, c) / s_c       AWQ rounds W diag(s)
//                   rounded R^T               rotated: W R is rounded (ptq/rotation.h)
//                   (rounded / s) R^T         both
//
// A model computes with the effective matrix, in FP32. Our own engine rounds one that is not plain
// to 16 significant bits (quantize/matrix_operand.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "formats/block_grid.h"

namespace bitlaw {

struct QuantizedMatrix {
  WeightScheme scheme;
  int64_t rows = 0, columns = 0;
  float tensor_scale = 1;           // already part of `scales`; 1 unless those are E4M3
  std::vector<float> codes;         // [rows, columns]
  std::vector<float> scales;        // [rows, groups_per_row()]
  std::vector<float> zeros;         // [rows, groups_per_row()]; empty unless asymmetric
  std::vector<float> column_scale;  // [columns] s; empty: ones
  int64_t rotation = 1;             // width of R's blocks; 1: not rotated

  QuantizedMatrix() = default;
  QuantizedMatrix(const WeightScheme& scheme, int64_t rows, int64_t columns);

  bool plain() const { return column_scale.empty() && rotation == 1; }
  int64_t groups_per_row() const {
    return scheme.group == 0 ? 1 : (columns + scheme.group - 1) / scheme.group;
  }
  int64_t block_of(int64_t r, int64_t c) const {
    return r * groups_per_row() + (scheme.group == 0 ? 0 : c / scheme.group);
  }
  void set_tensor_scale(const float* weights);  // of weights [rows, columns]
  void set_grid(int64_t r, int64_t group, const BlockGrid& grid);
  BlockGrid grid(int64_t r, int64_t group) const;

  // rounded(r, c): float difference, float product, as defined in formats/.
  float value(int64_t r, int64_t c) const;
  // Rows [begin, end) of the effective matrix, [end - begin, columns].
  void effective_rows(int64_t begin, int64_t end, float* out) const;
  std::vector<float> effective(ThreadPool& pool) const;  // [rows, columns]
};

}  // namespace bitlaw
