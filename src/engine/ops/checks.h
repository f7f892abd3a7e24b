// Argument checks of the dispatch, once for all backends. They are predicates, so that a failing
// BITLAW_CHECK names the line of the op.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "ops/backend.h"

namespace bitlaw {

// Unrounded numbers: F32, or F64 if the backend takes it (the reference does).
inline bool is_real(const Context& c, const Tensor& x) {
  return x.defined() &&
         (x.dtype() == DType::kF32 || (x.dtype() == DType::kF64 && c.backend->takes_f64));
}

inline bool is_real(const Context& c, const Tensor& x, Shape shape) {
  return is_real(c, x) && x.shape() == shape;
}

template <class... Tensors>
bool same_dtype(const Tensor& first, const Tensors&... others) {
  return ((first.dtype() == others.dtype()) && ...);
}

// A rounded [rows, columns] for an op that writes numbers of type `real`: codes with scales for
// rows or groups of them, BF16 codes without, or the values themselves.
inline bool is_operand(const Operand& x, int64_t rows, int64_t columns, DType real) {
  if (!x.codes.defined() || x.codes.shape() != Shape{rows, columns} || x.group < 0) return false;
  if (x.codes.dtype() != DType::kBF16 && x.codes.dtype() != real) return false;
  if (x.trusted.defined() &&
      (x.trusted.dtype() != DType::kBF16 || x.trusted.shape() != x.codes.shape()))
    return false;
  if (!x.scales.defined()) return x.group == 0;
  const Shape shape = x.group == 0 ? Shape{rows} : Shape{rows, (columns + x.group - 1) / x.group};
  return x.scales.dtype() == DType::kF32 && x.scales.shape() == shape;
}
// An operand of attention or the head: scales only for rows, and none with F32 codes.
inline bool is_row_operand(const Operand& x, int64_t rows, int64_t columns, DType real) {
  return is_operand(x, rows, columns, real) && x.group == 0 &&
         (x.codes.dtype() == DType::kBF16 || !x.scales.defined());
}

inline bool all_below(std::span<const uint16_t> tokens, int64_t V) {
  return std::all_of(tokens.begin(), tokens.end(), [V](uint16_t token) { return token < V; });
}

// FLOP of a product [M, K] x [K, N].
inline double product_flops(int64_t M, int64_t N, int64_t K) {
  return 2.0 * static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K);
}

}  // namespace bitlaw
