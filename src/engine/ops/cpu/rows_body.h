// How the kernels of kernels_body.h walk rows of numbers.
#pragma once

#include "ops/cpu/kernels.h"

namespace bitlaw::cpu {
namespace {

// Rows are walked in full vectors and one partial vector; f(offset, Full) or f(offset, Part).
struct Full {};
struct Part {
  int64_t n;
};
inline V load(const float* p, Full) {
  return load(p);
}
inline V load(const float* p, Part part) {
  return load(p, part.n);
}
inline void store(float* p, V x, Full) {
  store(p, x);
}
inline void store(float* p, V x, Part part) {
  store(p, x, part.n);
}
inline V fill_after(V x, Full, float) {
  return x;
}
inline V fill_after(V x, Part part, float other) {
  return fill_after(x, part.n, other);
}
inline V load_bf16(const uint16_t* p, Full) {
  return load_bf16(p);
}
inline V load_bf16(const uint16_t* p, Part part) {
  return load_bf16(p, part.n);
}
inline void store_bf16(uint16_t* p, V x, Full) {
  store_bf16(p, x);
}
inline void store_bf16(uint16_t* p, V x, Part part) {
  store_bf16(p, x, part.n);
}
inline void store_gradient(uint16_t* p, V x, Full) {
  store_gradient(p, x);
}
inline void store_gradient(uint16_t* p, V x, Part part) {
  store_gradient(p, x, part.n);
}
inline void store_upper(uint16_t* p, V x, Full) {
  store_upper(p, x);
}
inline void store_upper(uint16_t* p, V x, Part part) {
  store_upper(p, x, part.n);
}

template <class F>
inline __attribute__((always_inline)) void sweep(int64_t n, F f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, Full{});
  if (i < n) f(i, Part{n - i});
}

// Four accumulators hide the latency of an addition; they are folded in a fixed order.
struct Accumulators {
  V a, b, c, d;
};
inline Accumulators accumulators(float start) {
  return {splat(start), splat(start), splat(start), splat(start)};
}
inline float sum(const Accumulators& s) {
  return sum((s.a + s.b) + (s.c + s.d));
}
inline float largest(const Accumulators& s) {
  return largest(max(max(s.a, s.b), max(s.c, s.d)));
}

// f(accumulator, offset, Full or Part) returns the new accumulator.
template <class F>
inline __attribute__((always_inline)) Accumulators reduce(int64_t n, float start, F f) {
  Accumulators s = accumulators(start);
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s.a = f(s.a, i, Full{});
    s.b = f(s.b, i + kLanes, Full{});
    s.c = f(s.c, i + 2 * kLanes, Full{});
    s.d = f(s.d, i + 3 * kLanes, Full{});
  }
  for (; i + kLanes <= n; i += kLanes) s.a = f(s.a, i, Full{});
  if (i < n) s.b = f(s.b, i, Part{n - i});
  return s;
}

template <class P>
inline __attribute__((always_inline)) void put(const RowTarget& target, int64_t row, int64_t column,
                                               V x, P part) {
  const int64_t at = row * target.ld + column;
  if (target.bf16 != nullptr) {
    store_gradient(target.bf16 + at, x, part);
  } else {
    store(target.f32 + at, target.rounded ? round_bf16(x) : x, part);
  }
}

// 1 where there are no scales.
inline float scale_at(const float* scales, int64_t row) {
  return scales == nullptr ? 1.0f : scales[row];
}
template <class Part>
inline V optional_scales(const float* scales, int64_t c, Part part) {
  return scales == nullptr ? splat(1.0f) : load(scales + c, part);
}

}  // namespace
}  // namespace bitlaw::cpu
