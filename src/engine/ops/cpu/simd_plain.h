// Sixteen floats in plain C++: the functions of simd_avx512.h, with the same bits. fma rounds once
// here, too, so this is slow on a machine without it. It exists to run anywhere and to test the
// others.
#pragma once

#include <cstdint>

namespace bitlaw::cpu {
namespace {

constexpr int kLanes = 16;

struct V {
  float v[kLanes];
};

inline uint32_t bits_of(float x) {
  return __builtin_bit_cast(uint32_t, x);
}
inline float float_of(uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}

template <class F>
inline V each(F f) {
  V r;
  for (int i = 0; i < kLanes; ++i) r.v[i] = f(i);
  return r;
}

inline V splat(float x) {
  return each([&](int) { return x; });
}
inline V load(const float* p) {
  return each([&](int i) { return p[i]; });
}
inline V load(const float* p, int64_t n) {
  return each([&](int i) { return i < n ? p[i] : 0.0f; });
}
inline void store(float* p, V x) {
  for (int i = 0; i < kLanes; ++i) p[i] = x.v[i];
}
inline void store(float* p, V x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = x.v[i];
}

inline V operator+(V a, V b) {
  return each([&](int i) { return a.v[i] + b.v[i]; });
}
inline V operator-(V a, V b) {
  return each([&](int i) { return a.v[i] - b.v[i]; });
}
inline V operator*(V a, V b) {
  return each([&](int i) { return a.v[i] * b.v[i]; });
}
inline V operator/(V a, V b) {
  return each([&](int i) { return a.v[i] / b.v[i]; });
}
inline V fma(V a, V b, V c) {
  return each([&](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); });
}
inline V minus_fma(V a, V b, V c) {
  return each([&](int i) { return __builtin_fmaf(-a.v[i], b.v[i], c.v[i]); });
}
inline V sqrt(V a) {
  return each([&](int i) { return __builtin_sqrtf(a.v[i]); });
}
inline V max(V a, V b) {
  return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline V min(V a, V b) {
  return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline V abs(V a) {
  return each([&](int i) { return __builtin_fabsf(a.v[i]); });
}
inline V copysign(V magnitude, V sign) {
  return each([&](int i) { return __builtin_copysignf(magnitude.v[i], sign.v[i]); });
}
inline V round_even(V a) {
  return each([&](int i) { return __builtin_nearbyintf(a.v[i]); });
}
inline V select_less(V a, V b, V yes, V no) {
  return each([&](int i) { return a.v[i] < b.v[i] ? yes.v[i] : no.v[i]; });
}
template <int half>
inline V butterfly(V a) {
  return each([&](int i) { return i & half ? a.v[i - half] - a.v[i] : a.v[i] + a.v[i + half]; });
}
inline V fill_after(V a, int64_t n, float other) {
  return each([&](int i) { return i < n ? a.v[i] : other; });
}
inline V add_to_exponent(V p, V shifted) {
  return each([&](int i) { return float_of(bits_of(p.v[i]) + (bits_of(shifted.v[i]) << 23)); });
}
inline V rough_reciprocal(V a) {
  return each([&](int i) { return float_of(0x7ef311c7u - bits_of(a.v[i])); });
}

inline uint32_t rounded_bits(float x, int dropped) {
  const uint32_t bits = bits_of(x);
  return bits + ((1u << (dropped - 1)) - 1u) + (bits >> dropped & 1u);
}
inline V drop_mantissa(V magnitude, int dropped) {
  return each(
      [&](int i) { return float_of(rounded_bits(magnitude.v[i], dropped) & ~0u << dropped); });
}

inline uint32_t bf16_bits(float x) {
  return x != x ? bits_of(x) | 0x400000u : rounded_bits(x, 16);
}
inline V round_bf16(V x) {
  return each([&](int i) { return float_of(bf16_bits(x.v[i]) & 0xffff0000u); });
}
inline V load_bf16(const uint16_t* p) {
  return each([&](int i) { return float_of(uint32_t{p[i]} << 16); });
}
inline V load_bf16(const uint16_t* p, int64_t n) {
  return each([&](int i) { return i < n ? float_of(uint32_t{p[i]} << 16) : 0.0f; });
}
inline void store_bf16(uint16_t* p, V x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<uint16_t>(bf16_bits(x.v[i]) >> 16);
}
inline void store_bf16(uint16_t* p, V x) {
  store_bf16(p, x, kLanes);
}

inline void store_gradient(uint16_t* p, V x, int64_t n) {
  store_bf16(p, x, n);
}
inline void store_gradient(uint16_t* p, V x) {
  store_bf16(p, x);
}
inline void store_upper(uint16_t* p, V x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<uint16_t>(bits_of(x.v[i]) >> 16);
}
inline void store_upper(uint16_t* p, V x) {
  store_upper(p, x, kLanes);
}

inline void store_upper(uint16_t* p, V x, V next) {  // of two vectors
  store_upper(p, x);
  store_upper(p + kLanes, next);
}

inline float sum(V a) {
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.v[i] += a.v[i + half];
  }
  return a.v[0];
}
inline float largest(V a) {
  float best = a.v[0];
  for (int i = 1; i < kLanes; ++i) best = a.v[i] > best ? a.v[i] : best;
  return best;
}

struct D {
  double v[kLanes];
};
inline D zero_doubles() {
  return {};
}
inline D add_squares(D sum, V x) {  // the square is exact in double: fused or not, the same bits
  for (int i = 0; i < kLanes; ++i) sum.v[i] += static_cast<double>(x.v[i]) * x.v[i];
  return sum;
}
inline D add(D sum, V x) {
  for (int i = 0; i < kLanes; ++i) sum.v[i] += static_cast<double>(x.v[i]);
  return sum;
}
inline double sum(D a) {
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.v[i] += a.v[i + half];
  }
  return a.v[0];
}

}  // namespace
}  // namespace bitlaw::cpu
