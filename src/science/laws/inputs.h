// The inputs of a formula, and a table of them by columns, so that several rows are evaluated at
// once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// Number: double, or a batch. Unlimited bits are 1e5, so that every derivative is finite; parts
// that are not quantized have 16 bits. Without post-training quantization, bits_post is unlimited.
// Logarithms are natural.
template <class Number>
struct Inputs {
  Number log_params, log_tokens;
  Number log_unique_tokens;  // log D if no token repeats
  Number bits_weights, bits_activations, bits_kv, bits_post;
  Number log_group;                     // NaN = unknown
  Number exponent_bits, mantissa_bits;  // NaN = integer or unknown
  // Of the part's training format on a unit Gaussian; -infinity if it is not quantized.
  Number log_gaussian_error_weights, log_gaussian_error_activations, log_gaussian_error_kv;
  Number fixed_share;  // of the parameters, which no precision shrinks
  Number bits_keys, bits_values, bits_embedding, bits_head;
  bool has_fixed = false;  // in some row of the table
};
inline constexpr int kInputs = 18;
inline constexpr double kManyBits = 1e5;

Inputs<double> inputs_of(const Observation& run);

struct Law;

// The columns of Rows for one row: kInputs numbers, then the law's own inputs.
void fill_row(const Law& law, const Observation& run, double* out);
int columns_of(const Law& law);

// Rows of a table as columns, in the order of Inputs, then the inputs of a law made from a formula, padded to a multiple of eight with copies of
// the last; and for each class parameter of a bound law (laws/bind.h) the position of its value.
class Rows {
 public:
  Rows() = default;
  Rows(const Law& law, std::span<const Observation> runs);

  size_t size() const { return size_; }
  size_t stride() const { return stride_; }  // a multiple of 8
  int columns() const { return columns_; }
  const double* column(int input) const {
    return data_.data() + static_cast<size_t>(input) * stride_;
  }
  // Position among the law's parameters of the k-th class parameter of a row; kReference for the
  // class whose value is fixed, kUnknownClass for a class that the law was not bound to.
  const int* positions(int k) const { return positions_.data() + static_cast<size_t>(k) * stride_; }

  static constexpr int kReference = -1, kUnknownClass = -2;

  bool has_fixed() const { return has_fixed_; }

 private:
  size_t size_ = 0, stride_ = 0;
  bool has_fixed_ = false;
  int columns_ = 0;
  std::vector<double> data_;
  std::vector<int> positions_;
};

}  // namespace bitlaw
