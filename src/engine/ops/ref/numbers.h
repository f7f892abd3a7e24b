// The reference computes with doubles read from tensors, and with the roundings that are part of an
// op's definition. Nothing else is rounded until a result is stored.
#pragma once

#include <vector>

#include "formats/half.h"
#include "ops/quantize.h"

namespace bitlaw::ref {

template <class T>
std::vector<double> numbers_of(const T* data, int64_t elements) {
  return std::vector<double>(data, data + elements);
}

// Every element of a tensor.
inline std::vector<double> numbers(const Tensor& x) {
  switch (x.dtype()) {
    case DType::kF64:
      return numbers_of(x.f64(), x.elements());
    case DType::kF32:
      return numbers_of(x.f32(), x.elements());
    case DType::kBF16:
      break;
  }
  std::vector<double> out(static_cast<size_t>(x.elements()));
  for (int64_t i = 0; i < x.elements(); ++i) out[i] = x.bf16()[i].value();
  return out;
}

inline void store(const std::vector<double>& from, const Tensor& to) {
  for (int64_t i = 0; i < to.elements(); ++i) to.set(i, from[i]);
}

// A rounded matrix: value[r, c] = codes[r, c] * scales[r]. Operands in groups are read as values.
struct Matrix {
  std::vector<double> codes;   // [rows, columns]
  std::vector<double> scales;  // [rows]; ones if there are none
  bool bf16;                   // codes are BF16 numbers
  bool scaled;                 // there are scales
};

inline Matrix matrix(const Operand& x) {
  const size_t rows = static_cast<size_t>(x.codes.extent(0));
  const std::vector<double> ones(rows, 1.0);
  Matrix out{numbers(x.codes), ones, x.codes.dtype() == DType::kBF16, false};
  if (!x.scales.defined()) return out;
  const std::vector<double> scales = numbers(x.scales);
  if (x.group == 0) return {out.codes, scales, out.bf16, true};
  const int64_t columns = x.codes.extent(1), groups = x.scales.extent(1);
  for (int64_t i = 0; i < x.codes.elements(); ++i) {
    out.codes[i] =
        static_cast<float>(out.codes[i] * scales[i / columns * groups + i % columns / x.group]);
  }
  out.bf16 = false;
  return out;
}

// The two sides of a product. With BF16 codes on both, the product runs on codes and scales are
// applied to it. Otherwise it runs on values, each code * scale rounded to float.
inline void to_values(Matrix& x) {
  const size_t rows = x.scales.size(), columns = rows == 0 ? 0 : x.codes.size() / rows;
  if (!x.scaled) return;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      x.codes[r * columns + c] = static_cast<float>(x.codes[r * columns + c] * x.scales[r]);
    }
    x.scales[r] = 1;
  }
}

inline void match(Matrix& a, Matrix& b) {
  if (a.bf16 && b.bf16) return;
  to_values(a);
  to_values(b);
}

// round() of the headers: the operands of a gradient's product become float, then
// context.gradient_dtype. Tensors in double are not rounded at all.
class GradientRounding {
 public:
  GradientRounding(const Context& context, DType real)
      : exact_(real == DType::kF64), bf16_(context.gradient_dtype == DType::kBF16) {}

  double operator()(double x) const {
    if (exact_) return x;
    const float single = static_cast<float>(x);
    return bf16_ ? round_to_bf16(single) : single;
  }

 private:
  bool exact_, bf16_;
};

inline double dot(const double* a, const double* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace bitlaw::ref
