// Two, four or eight numbers, as many as fit in a register of the instruction set: formulas written
// for any scalar type run on that many rows of a table at once. Results do not depend on the width,
// because nothing is fused or reordered.
// Eight on AVX2, as two instructions each, spill: all laws' Jacobians take 2.92 us a row instead of
// 2.28, and three times as long to compile.
//
// exp, expm1 and log err by less than two units in the last place (batch_test.cpp); exp gives 0
// below -708, instead of subnormal results, and infinity above 709.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace bitlaw {

#define BITLAW_INLINE inline __attribute__((always_inline))

template <int kWidth>
struct VectorOf;
template <>
struct VectorOf<2> {
  typedef double Vector __attribute__((vector_size(16)));
  typedef double Unaligned __attribute__((vector_size(16), aligned(8)));
  typedef int64_t Mask __attribute__((vector_size(16)));  // all bits of a lane set, or none
};
template <>
struct VectorOf<4> {
  typedef double Vector __attribute__((vector_size(32)));
  typedef double Unaligned __attribute__((vector_size(32), aligned(8)));
  typedef int64_t Mask __attribute__((vector_size(32)));
};
template <>
struct VectorOf<8> {
  typedef double Vector __attribute__((vector_size(64)));
  typedef double Unaligned __attribute__((vector_size(64), aligned(8)));
  typedef int64_t Mask __attribute__((vector_size(64)));
};

// kIsa: the instruction set that the including file is compiled for (plain, AVX2, AVX-512), so that
// code for different sets never shares a name.
template <int kIsa, int kWidth = 2 << kIsa>
struct BatchOf {
  static constexpr int kLanes = kWidth;
  using Vector = typename VectorOf<kWidth>::Vector;
  using Unaligned = typename VectorOf<kWidth>::Unaligned;
  using Mask = typename VectorOf<kWidth>::Mask;

  Vector v;

  BatchOf() = default;
  BITLAW_INLINE BatchOf(double x) : v(x - Vector{}) {}  // x - 0 is x, -0 too
  BITLAW_INLINE BatchOf(Vector x) : v(x) {}

  static BITLAW_INLINE BatchOf load(const double* from) {
    return BatchOf(Vector(*reinterpret_cast<const Unaligned*>(from)));
  }
  BITLAW_INLINE void store(double* to) const { *reinterpret_cast<Unaligned*>(to) = v; }

  BITLAW_INLINE BatchOf& operator+=(const BatchOf& b) { return *this = BatchOf(v + b.v); }
  BITLAW_INLINE BatchOf& operator-=(const BatchOf& b) { return *this = BatchOf(v - b.v); }
  BITLAW_INLINE BatchOf& operator*=(const BatchOf& b) { return *this = BatchOf(v * b.v); }
  BITLAW_INLINE BatchOf& operator/=(const BatchOf& b) { return *this = BatchOf(v / b.v); }

  friend BITLAW_INLINE BatchOf operator-(const BatchOf& a) { return BatchOf(-a.v); }
  friend BITLAW_INLINE BatchOf operator+(const BatchOf& a, const BatchOf& b) {
    return BatchOf(a.v + b.v);
  }
  friend BITLAW_INLINE BatchOf operator-(const BatchOf& a, const BatchOf& b) {
    return BatchOf(a.v - b.v);
  }
  friend BITLAW_INLINE BatchOf operator*(const BatchOf& a, const BatchOf& b) {
    return BatchOf(a.v * b.v);
  }
  friend BITLAW_INLINE BatchOf operator/(const BatchOf& a, const BatchOf& b) {
    return BatchOf(a.v / b.v);
  }
  friend BITLAW_INLINE Mask operator<(const BatchOf& a, const BatchOf& b) { return a.v < b.v; }
  friend BITLAW_INLINE Mask operator>(const BatchOf& a, const BatchOf& b) { return a.v > b.v; }
  friend BITLAW_INLINE Mask operator<=(const BatchOf& a, const BatchOf& b) { return a.v <= b.v; }
  friend BITLAW_INLINE Mask operator>=(const BatchOf& a, const BatchOf& b) { return a.v >= b.v; }

  friend BITLAW_INLINE BatchOf select(Mask condition, const BatchOf& yes, const BatchOf& no) {
    return BatchOf(Vector((Mask(yes.v) & condition) | (Mask(no.v) & ~condition)));
  }
  friend BITLAW_INLINE BatchOf min(const BatchOf& a, const BatchOf& b) {
    return select(a < b, a, b);
  }
  friend BITLAW_INLINE BatchOf max(const BatchOf& a, const BatchOf& b) {
    return select(a > b, a, b);
  }
  friend BITLAW_INLINE BatchOf abs(const BatchOf& a) {
    return BatchOf(Vector(Mask(a.v) & std::numeric_limits<int64_t>::max()));
  }

  // x = n log 2 + r with |r| <= log(2) / 2: scale = 2^n, tail = exp(r) - 1.
  static BITLAW_INLINE void reduce(const BatchOf& x, BatchOf& scale, BatchOf& tail) {
    constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
    const BatchOf shifted = x * 1.4426950408889634074 + kMagic;
    const BatchOf n = shifted - kMagic;
    // log 2 in two parts, the first with 32 bits so that n times it is exact.
    const BatchOf r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    const Mask power = (Mask(shifted.v) - Mask(BatchOf(kMagic).v) + 1023) << 52;
    // Taylor's series to r^13: what is left out is below 2^-60 of r.
    // In pairs and pairs of pairs (Estrin): chains a third as long as Horner's.
    const BatchOf r2 = r * r, r4 = r2 * r2;
    const BatchOf low = (0.5 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    const BatchOf middle =
        (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0));
    const BatchOf high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) +
                         r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
    const BatchOf q = low + r4 * (middle + r4 * high);
    scale = BatchOf(Vector(power));
    tail = r + r2 * q;
  }

  friend BITLAW_INLINE BatchOf exp(const BatchOf& x) {
    BatchOf scale, tail;
    reduce(min(max(x, -708.0), 709.0), scale, tail);
    BatchOf y = scale + scale * tail;
    y = select(x < -708.0, 0.0, y);
    y = select(x > 709.0, std::numeric_limits<double>::infinity(), y);
    return select(x.v == x.v, y, x);
  }
  friend BITLAW_INLINE BatchOf expm1(const BatchOf& x) {
    BatchOf scale, tail;
    reduce(min(max(x, -708.0), 709.0), scale, tail);
    BatchOf y = scale * tail + (scale - 1.0);
    y = select(x < -708.0, -1.0, y);
    y = select(x > 709.0, std::numeric_limits<double>::infinity(), y);
    return select(x.v == x.v, y, x);
  }
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1).
  friend BITLAW_INLINE BatchOf log(const BatchOf& x) {
    constexpr int64_t kMantissa = (int64_t{1} << 52) - 1, kOne = int64_t{1023} << 52;
    const Mask tiny = x < 2.2250738585072014e-308;
    const BatchOf scaled = select(tiny, x * 18014398509481984.0, x);  // 2^54: subnormals too
    const Mask bits = Mask(scaled.v);
    BatchOf m = BatchOf(Vector((bits & kMantissa) | kOne));
    const Mask high = m > 1.4142135623730951;
    m = select(high, m * 0.5, m);
    // The exponent as a number: its bits below those of 2^52.
    constexpr int64_t kShift = int64_t{1075} << 52;
    BatchOf e = BatchOf(Vector((bits >> 52) | kShift)) - 4503599627370496.0 - 1023.0;
    e = e + select(high, BatchOf(1.0), BatchOf(0.0)) - select(tiny, BatchOf(54.0), BatchOf(0.0));
    const BatchOf f = m - 1.0, s = f / (m + 1.0), z = s * s;
    const BatchOf z2 = z * z, z4 = z2 * z2;
    const BatchOf low = (2.0 / 3.0 + z * (2.0 / 5.0)) + z2 * (2.0 / 7.0 + z * (2.0 / 9.0));
    const BatchOf middle = (2.0 / 11.0 + z * (2.0 / 13.0)) + z2 * (2.0 / 15.0 + z * (2.0 / 17.0));
    const BatchOf top = (2.0 / 19.0 + z * (2.0 / 21.0)) + z2 * (2.0 / 23.0);
    const BatchOf q = low + z4 * (middle + z4 * top);
    // log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + z q): the largest term is exact.
    const BatchOf half = 0.5 * f * f;
    BatchOf y = e * 6.93147180369123816490e-01 -
                ((half - (s * (half + z * q) + e * 1.90821492927058770002e-10)) - f);
    y = select(x.v == 0.0, -std::numeric_limits<double>::infinity(), y);
    y = select(x.v == std::numeric_limits<double>::infinity(), x, y);
    return select(x >= 0.0, y, std::numeric_limits<double>::quiet_NaN());
  }
  friend BITLAW_INLINE BatchOf log1p(const BatchOf& x) {
    // log(1 + x), with the rounding error of 1 + x corrected to first order.
    const BatchOf u = 1.0 + x;
    const BatchOf y = log(u) + (x - (u - 1.0)) / u;
    return select(u.v == std::numeric_limits<double>::infinity(), u, y);
  }
  friend BITLAW_INLINE BatchOf tanh(const BatchOf& x) {
    const BatchOf e = expm1(2.0 * min(max(x, -20.0), 20.0));
    return select(x.v == x.v, e / (e + 2.0), x);
  }
  friend BITLAW_INLINE BatchOf sqrt(const BatchOf& x) {
    BatchOf y;
    for (int i = 0; i < kLanes; ++i) y.v[i] = __builtin_sqrt(x.v[i]);
    return y;
  }
  friend BITLAW_INLINE BatchOf pow(const BatchOf& x, const BatchOf& y) { return exp(y * log(x)); }

  friend BITLAW_INLINE BatchOf value_of(const BatchOf& x) { return x; }
};

// The same for one number.
BITLAW_INLINE double select(bool condition, double yes, double no) {
  return condition ? yes : no;
}
BITLAW_INLINE double min(double a, double b) {
  return a < b ? a : b;
}
BITLAW_INLINE double max(double a, double b) {
  return a > b ? a : b;
}
BITLAW_INLINE double value_of(double x) {
  return x;
}

}  // namespace bitlaw
