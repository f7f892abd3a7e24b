// Shared by the tests of ops: contexts, bounds and central differences.
//
// Bounds are in units of u = 2^-24, the largest relative error of one rounding to float. A sum of n
// floats in any order is within (n - 1) u sum |terms| of the exact one; every product, scale and
// store adds one u. If an op rounds to BF16 in the middle, an earlier error can turn a value into
// the neighbouring BF16; spread() bounds by how much.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "formats/half.h"
#include "ops/test_cases.h"

namespace bitlaw::testing_ops {

inline constexpr double u = 0x1p-24;
inline constexpr double kTiny = 0x1p-110;  // below it floats may be flushed to zero
// Relative error that a backend's exponential may have: two units in the last place.
inline constexpr double kExp = 4 * u;

inline Context reference(DType gradient_dtype = DType::kBF16) {
  Context context;
  context.backend = &kReferenceBackend;
  context.gradient_dtype = gradient_dtype;
  return context;
}

inline Context cpu(Isa isa, DType gradient_dtype = DType::kBF16) {
  Context context;
  context.backend = &kCpuBackend;
  context.isa = isa;
  context.gradient_dtype = gradient_dtype;
  return context;
}

// All that this machine has. Where the environment says what to multiply with
// (cmake/engines.cmake), only the best of them: that is the only one which multiplies in another way.
inline std::vector<Isa> machine_isas() {
  for (const char* limit : {"BITLAW_ISA", "BITLAW_AMX", "ONEDNN_MAX_CPU_ISA"}) {
    if (std::getenv(limit) != nullptr) return {best_isa()};
  }
  std::vector<Isa> isas;
  for (Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
    if (isa <= best_isa()) isas.push_back(isa);
  }
  return isas;
}

inline Tensor copy(const Tensor& x) {
  const Tensor out = Tensor::empty(x.dtype(), x.shape());
  out.copy_from(x);
  return out;
}

inline Tensor as(DType dtype, const Tensor& x) {
  const Tensor out = Tensor::empty(dtype, x.shape());
  for (int64_t i = 0; i < x.elements(); ++i) out.set(i, x.at(i));
  return out;
}

inline Operand rounded(const Rounding& rounding, const Tensor& x) {
  Context c = reference();
  Operand out = make_operand(rounding, x.extent(0), x.extent(1), x.dtype());
  quantize(c, rounding, x, out);
  return out;
}

inline Weight prepared(Context& c, const Rounding& rounding, const Tensor& master,
                       bool training = true) {
  Weight out;
  prepare_weight(c, rounding, master, training, out);
  return out;
}

inline double scale(const Operand& x, int64_t row) {
  return x.scales.defined() ? x.scales.at(row) : 1;
}
// The scale of entry i, also in groups.
inline double entry_scale(const Operand& x, int64_t i) {
  const int64_t columns = x.codes.extent(1), row = i / columns;
  if (x.group == 0) return scale(x, row);
  return x.scales.at(row * x.scales.extent(1) + i % columns / x.group);
}

// Every element of a tensor, for loops that would call at() too often.
inline std::vector<double> numbers(const Tensor& x) {
  std::vector<double> out(static_cast<size_t>(x.elements()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = x.at(static_cast<int64_t>(i));
  return out;
}

// The magnitudes of the values of an operand.
inline std::vector<double> magnitudes_of(const Operand& x) {
  std::vector<double> out = numbers(x.codes);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = std::fabs(out[i]) * entry_scale(x, static_cast<int64_t>(i));
  }
  return out;
}

// The exact values of an operand, as an F64 operand without scales.
inline Operand exact_values(const Operand& x) {
  const Operand out{Tensor::empty(DType::kF64, x.codes.shape()), {}};
  for (int64_t i = 0; i < x.codes.elements(); ++i)
    out.codes.set(i, x.codes.at(i) * entry_scale(x, i));
  return out;
}

inline bool is_bf16(const Operand& x) {
  return x.codes.dtype() == DType::kBF16;
}

// How far rounding (to BF16, or to float) can move a value known to +-error.
inline double spread(double value, double error, bool bf16) {
  if (!bf16) return error + u * std::fabs(value);
  error += u * std::fabs(value);
  const double middle = round_to_bf16(static_cast<float>(value));
  const double low = round_to_bf16(static_cast<float>(value - error));
  const double high = round_to_bf16(static_cast<float>(value + error));
  return std::fmax(high - middle, middle - low);
}

// |actual - expected| <= bound + one rounding of the expected value, everywhere. Reports the worst
// entry.
inline void expect_within(const Tensor& actual, const Tensor& expected,
                          const std::vector<double>& bound, const char* what) {
  ASSERT_EQ(actual.shape(), expected.shape()) << what;
  double worst = 0;
  int64_t at = 0;
  const std::vector<double> got = numbers(actual), wanted = numbers(expected);
  for (size_t i = 0; i < got.size(); ++i) {
    const double allowed = bound[i] + u * std::fabs(wanted[i]) + kTiny;
    double ratio = std::fabs(got[i] - wanted[i]) / allowed;
    if (!std::isfinite(got[i])) ratio = std::numeric_limits<double>::infinity();
    if (ratio > worst) worst = ratio, at = static_cast<int64_t>(i);
  }
  EXPECT_LE(worst, 1) << what << "[" << at << "] is " << actual.at(at) << ", expected "
                      << expected.at(at) << " within " << bound[at];
}

inline void expect_same_bits(const Tensor& actual, const Tensor& expected, const char* what) {
  ASSERT_EQ(actual.dtype(), expected.dtype()) << what;
  ASSERT_EQ(actual.shape(), expected.shape()) << what;
  const auto* a = static_cast<const unsigned char*>(actual.raw());
  const auto* b = static_cast<const unsigned char*>(expected.raw());
  if (std::memcmp(a, b, actual.bytes()) == 0) return;
  for (size_t i = 0; i < actual.bytes(); ++i) {
    if (a[i] == b[i]) continue;
    const int64_t at = static_cast<int64_t>(i / size_of(actual.dtype()));
    FAIL() << what << "[" << at << "] is " << actual.at(at) << ", expected " << expected.at(at);
  }
}

// The derivative of f with respect to every element of x (F64) against central differences with
// steps h = 2^-8 and h / 2. The error of a difference is c h^2 + O(h^4), so two of them give both a
// better value (4 D(h/2) - D(h)) / 3 and a bound of its error: far below their own difference
// |D(h) - D(h/2)| = 3/4 c h^2. Rounding adds at most `sums` 2^-53 |f terms| / h.
inline void expect_gradient(const std::function<double()>& f, const Tensor& x,
                            const Tensor& gradient, double magnitude, const char* what) {
  ASSERT_EQ(x.dtype(), DType::kF64);
  ASSERT_EQ(x.elements(), gradient.elements());
  constexpr double h = 0x1p-8;
  const double noise = 0x1p-53 * 256 * magnitude / h;
  const auto difference = [&](int64_t i, double step) {
    const double middle = x.at(i);
    x.set(i, middle + step);
    const double above = f();
    x.set(i, middle - step);
    const double below = f();
    x.set(i, middle);
    return (above - below) / (2 * step);
  };
  for (int64_t i = 0; i < x.elements(); ++i) {
    const double coarse = difference(i, h), fine = difference(i, h / 2);
    const double best = (4 * fine - coarse) / 3;
    EXPECT_NEAR(gradient.at(i), best, std::fabs(coarse - fine) / 4 + noise)
        << what << "[" << i << "]";
  }
}

// sum_i weights_i y_i, the scalar whose gradient with respect to y is `weights`.
inline double weighted_sum(const Tensor& y, const Tensor& weights) {
  double sum = 0;
  for (int64_t i = 0; i < y.elements(); ++i) sum += y.at(i) * weights.at(i);
  return sum;
}

inline double sum_of_magnitudes(const Tensor& y, const Tensor& weights) {
  double sum = 0;
  for (int64_t i = 0; i < y.elements(); ++i) sum += std::fabs(y.at(i) * weights.at(i));
  return sum;
}

}  // namespace bitlaw::testing_ops
