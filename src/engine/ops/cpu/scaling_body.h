// Part of kernels_body.h: rotations, and scales of operands and products.
#pragma once

#include "ops/cpu/rows_body.h"

namespace bitlaw::cpu {
namespace {

// The sweeps of formats/rotation.h over entries less than sixteen apart.
inline __attribute__((always_inline)) V rotate_within(V x, int64_t width) {
  if (width > 1) x = butterfly<1>(x);
  if (width > 2) x = butterfly<2>(x);
  if (width > 4) x = butterfly<4>(x);
  if (width > 8) x = butterfly<8>(x);
  return x;
}

void rotate_blocks(const float* x, int64_t n, int64_t width, float factor, float* y) {
  const V scale = splat(factor);
  if (width <= kLanes) {
    sweep(n, [&](int64_t i, auto part) {
      store(y + i, rotate_within(load(x + i, part), width) * scale, part);
    });
    return;
  }
  for (int64_t begin = 0; begin < n; begin += width) {
    for (int64_t half = kLanes; half < width; half *= 2) {
      const V after = splat(2 * half == width ? factor : 1.0f);
      for (int64_t first = begin; first < begin + width; first += 2 * half) {
        for (int64_t i = first; i < first + half; i += kLanes) {
          V a, b;
          if (half == kLanes) {
            a = rotate_within(load(x + i), width), b = rotate_within(load(x + i + half), width);
          } else {
            a = load(y + i), b = load(y + i + half);
          }
          store(y + i, (a + b) * after);
          store(y + i + half, (a - b) * after);
        }
      }
    }
  }
}

void multiply(const uint16_t* factors, int64_t n, float* x) {
  sweep(n, [&](int64_t i, auto part) {
    store(x + i, load(x + i, part) * load_bf16(factors + i, part), part);
  });
}

void scale_rows(const float* x, int64_t ld, int64_t rows, int64_t columns, const float* row_scales,
                const float* column_scales, RowTarget target) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = x + r * ld;
    if (column_scales != nullptr) {
      sweep(columns, [&](int64_t c, auto part) {
        put(target, r, c, load(from + c, part) * load(column_scales + c, part), part);
      });
    } else if (row_scales != nullptr) {
      const V scale = splat(row_scales[r]);
      sweep(columns,
            [&](int64_t c, auto part) { put(target, r, c, load(from + c, part) * scale, part); });
    } else {
      sweep(columns, [&](int64_t c, auto part) { put(target, r, c, load(from + c, part), part); });
    }
  }
}

void widen(const uint16_t* x, int64_t ld, int64_t rows, int64_t columns, const float* row_scales,
           float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const V scale = splat(row_scales == nullptr ? 1.0f : row_scales[r]);
    sweep(columns, [&](int64_t c, auto part) {
      store(y + r * ldy + c, load_bf16(x + r * ld + c, part) * scale, part);
    });
  }
}

void scale_product(const float* x, int64_t ldx, int64_t rows, int64_t columns,
                   const float* row_scales, const float* column_scales, bool accumulate, float* y,
                   int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r) {
    const V row_scale = splat(row_scales == nullptr ? 1.0f : row_scales[r]);
    const float* from = x + r * ldx;
    float* to = y + r * ldy;
    sweep(columns, [&](int64_t c, auto part) {
      const V scale =
          column_scales == nullptr ? row_scale : row_scale * load(column_scales + c, part);
      const V product = load(from + c, part) * scale;
      store(to + c, accumulate ? load(to + c, part) + product : product, part);
    });
  }
}

}  // namespace
}  // namespace bitlaw::cpu
