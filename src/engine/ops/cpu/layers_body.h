// Part of kernels_body.h: norm, gated activation, rotary embedding.
#pragma once

#include "ops/cpu/rows_body.h"
#include "ops/cpu/simd_math.h"

namespace bitlaw::cpu {
namespace {

void rms_norm(const float* x, const float* weight, float epsilon, int64_t rows, int64_t columns,
              float* y, float* rstd) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * columns;
    float* to = y + r * columns;
    const float squares = sum(reduce(columns, 0.0f, [&](V s, int64_t c, auto part) {
      const V v = load(from + c, part);
      return fma(v, v, s);
    }));
    rstd[r] = 1.0f / __builtin_sqrtf(squares / static_cast<float>(columns) + epsilon);
    const V scale = splat(rstd[r]);
    sweep(columns, [&](int64_t c, auto part) {
      store(to + c, load(from + c, part) * scale * load(weight + c, part), part);
    });
  }
}

void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* rstd,
                       int64_t rows, int64_t columns, bool accumulate, float* dx, float* dweight) {
  for (int64_t r = 0; r < rows; ++r) {
    const float *g = dy + r * columns, *from = x + r * columns;
    float* to = dx + r * columns;
    const V scale = splat(rstd[r]);
    const float dot = sum(reduce(columns, 0.0f, [&](V s, int64_t c, auto part) {
      const V product = load(g + c, part) * load(from + c, part);
      store(dweight + c, fma(product, scale, load(dweight + c, part)), part);
      return fma(product, load(weight + c, part), s);
    }));
    const V pull = splat(rstd[r] * rstd[r] * (dot / static_cast<float>(columns)));
    sweep(columns, [&](int64_t c, auto part) {
      const V inner =
          minus_fma(load(from + c, part), pull, load(weight + c, part) * load(g + c, part));
      store(to + c, accumulate ? fma(inner, scale, load(to + c, part)) : inner * scale, part);
    });
  }
}

template <class Part>
inline void keep(const KeptGate& kept, int64_t at, V x, Part part) {
  if (kept.bf16 != nullptr) store_gradient(kept.bf16 + at, x, part);
  if (kept.f32 != nullptr) store(kept.f32 + at, x, part);
}
void swiglu(const float* gate, const float* up, int64_t ld, int64_t rows, int64_t columns,
            const GateScales& scales, const KeptGate& kept, float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const V row_scale = splat(scale_at(scales.rows, r));
    sweep(columns, [&](int64_t c, auto part) {
      const V z =
          load(gate + r * ld + c, part) * (row_scale * optional_scales(scales.gate, c, part));
      const V u = load(up + r * ld + c, part) * (row_scale * optional_scales(scales.up, c, part));
      keep(kept, r * kept.ld + c, z, part);
      keep(kept, r * kept.ld + kept.up + c, u, part);
      store(y + r * ldy + c, z * sigmoid(z) * u, part);
    });
  }
}

// load_z and load_u(row, column, Full or Part): gate and up as kept.
template <class LoadZ, class LoadU>
inline __attribute__((always_inline)) void swiglu_backward_of(const float* dy, int64_t ldy,
                                                              int64_t rows, int64_t columns,
                                                              float* dgate, float* dup, int64_t ld,
                                                              LoadZ load_z, LoadU load_u) {
  for (int64_t r = 0; r < rows; ++r) {
    sweep(
        columns, [&](int64_t c, auto part) __attribute__((always_inline)) {
          const V z = load_z(r, c, part), u = load_u(r, c, part), g = load(dy + r * ldy + c, part);
          const V s = sigmoid(z);
          const V slope = s * fma(z, splat(1.0f) - s, splat(1.0f));  // of silu
          store(dup + r * ld + c, g * (z * s), part);
          store(dgate + r * ld + c, g * u * slope, part);
        });
  }
}

void swiglu_backward(const float* dy, int64_t ldy, const KeptGate& kept, int64_t rows,
                     int64_t columns, float* dgate, float* dup, int64_t ld) {
  const int64_t ldk = kept.ld;
  if (kept.bf16 != nullptr) {
    const uint16_t *const z = kept.bf16, *const u = kept.bf16 + kept.up;
    swiglu_backward_of(
        dy, ldy, rows, columns, dgate, dup, ld,
        [&](int64_t r, int64_t c, auto part) { return load_bf16(z + r * ldk + c, part); },
        [&](int64_t r, int64_t c, auto part) { return load_bf16(u + r * ldk + c, part); });
  } else {
    const float *const z = kept.f32, *const u = kept.f32 + kept.up;
    swiglu_backward_of(
        dy, ldy, rows, columns, dgate, dup, ld,
        [&](int64_t r, int64_t c, auto part) { return load(z + r * ldk + c, part); },
        [&](int64_t r, int64_t c, auto part) { return load(u + r * ldk + c, part); });
  }
}

void rotate(const float* x, int64_t ldx, const float* rope, int64_t rows, int64_t dim, bool inverse,
            float* y, int64_t ldy) {
  const int64_t half = dim / 2;
  const V sign = splat(inverse ? -1.0f : 1.0f);
  for (int64_t r = 0; r < rows; ++r) {
    const float *from = x + r * ldx, *table = rope + r * dim;
    float* to = y + r * ldy;
    sweep(half, [&](int64_t c, auto part) {
      const V a = load(from + c, part), b = load(from + half + c, part);
      const V cosine = load(table + c, part), sine = load(table + half + c, part) * sign;
      store(to + c, minus_fma(b, sine, a * cosine), part);
      store(to + half + c, fma(a, sine, b * cosine), part);
    });
  }
}

}  // namespace
}  // namespace bitlaw::cpu
