#include "ops/cpu/amx/blocks_amx.h"

namespace bitlaw::cpu::amx {

void unset_tiles() {
  Tiles::release();
}

void tile_left(const uint16_t* x, int64_t ld, bool transposed, int64_t rows, int64_t K,
               uint16_t* out) {
  for (int64_t r = 0; r < rows; r += kRows) {
    for (int64_t k = 0; k < K; k += kStep, out += kTile) {
      store_tile(out, transposed ? transposed_pairs(load_pairs(x + k * ld + r, ld, K - k, rows - r))
                                 : load_rows(x + r * ld + k, ld, rows - r, K - k));
    }
  }
}

void tile_right(const uint16_t* x, int64_t ld, bool transposed, int64_t K, int64_t columns,
                uint16_t* out) {
  const int64_t panel = steps(K) * kTile;
  for (int64_t c = 0; c < columns; c += kRows, out += panel) {
    const bool two = !transposed && columns - c >= 2 * kRows;
    for (int64_t k = 0; k < K; k += kStep) {
      uint16_t* const to = out + k / kStep * kTile;
      if (transposed) {
        store_tile(to, transposed_pairs(load_rows(x + c * ld + k, ld, columns - c, K - k)));
      } else if (two && K - k >= kStep) {
        store_pairs(x + k * ld + c, ld, to, to + panel);
      } else {
        store_tile(to, load_pairs(x + k * ld + c, ld, K - k, columns - c));
        if (two) store_tile(to + panel, load_pairs(x + k * ld + c + kRows, ld, K - k, kRows));
      }
    }
    if (two) c += kRows, out += panel;
  }
}

// ---------------------------------------------------------------------------------- gradients
namespace {

inline __m512 load_floats(const float* x, __mmask16 mask) {
  return _mm512_maskz_loadu_ps(mask, x);
}

}  // namespace

void gradient_operands(const float* dy, int64_t ld, int64_t T, int64_t N, const float* row_scales,
                       const float* column_scales, const GradientTargets& to) {
  const __m512 one = _mm512_set1_ps(1.0f);
  for (int64_t t = 0; t < T; t += kStep) {
    for (int64_t n = 0; n < N; n += kStep) {
      const __mmask32 g_mask = first32(to.g_columns - n);
      const __mmask16 mask[2] = {first16(N - n), first16(N - n - 16)};
      const __m512 columns[2] = {
          column_scales == nullptr ? one : load_floats(column_scales + n, mask[0]),
          column_scales == nullptr ? one : load_floats(column_scales + n + 16, mask[1])};
      Rows pairs[2];
      for (int64_t i = 0; i < 16; ++i) {
        __m512 x[2][2] = {};  // [row][half]
        for (int64_t r = 0; r < 2; ++r) {
          const int64_t row = t + 2 * i + r;
          if (row >= T) continue;
          const float* from = dy + row * ld + n;
          if (row + kStep < T) {  // too many rows at once for the hardware to follow
            _mm_prefetch(from + kStep * ld, _MM_HINT_T1);
            _mm_prefetch(from + kStep * ld + 16, _MM_HINT_T1);
          }
          x[r][0] = load_floats(from, mask[0]);
          x[r][1] = load_floats(from + 16, mask[1]);
          if (to.g != nullptr) {
            const __m512i both =
                rounded(_mm512_mul_ps(x[r][0], columns[0]), _mm512_mul_ps(x[r][1], columns[1]));
            _mm512_mask_storeu_epi16(to.g + row * to.ldg + n, g_mask, both);
          }
          if (row_scales != nullptr) {
            const __m512 scale = _mm512_set1_ps(row_scales[row]);
            x[r][0] = _mm512_mul_ps(x[r][0], scale);
            x[r][1] = _mm512_mul_ps(x[r][1], scale);
          }
        }
        for (int half = 0; half < 2; ++half) {
          pairs[half].row[i] = rounded_pairs(x[0][half], x[1][half]);
        }
      }
      if (to.h == nullptr) continue;
      uint16_t* h = to.h + n / kRows * to.h_panel + t / kStep * kTile;
      store_tile(h, transposed_pairs(pairs[0]));
      if (n + 16 < N) store_tile(h + to.h_panel, transposed_pairs(pairs[1]));
    }
  }
}

// ------------------------------------------------------------------------------------ products
namespace {

// Scales, addend and edges. What does not change is kept in local variables: the compiler cannot
// know that stores to c leave the rest alone.
struct Scale {
  const Product& p;

  void operator()(const Block& block, int64_t m0, int64_t n0, int64_t begin, int64_t end) const {
    if (p.addend == nullptr) {
      p.row_scales == nullptr ? rows<false, false>(block, m0, n0, begin, end)
                              : rows<false, true>(block, m0, n0, begin, end);
    } else {
      p.row_scales == nullptr ? rows<true, false>(block, m0, n0, begin, end)
                              : rows<true, true>(block, m0, n0, begin, end);
    }
  }

  template <bool kAddend, bool kRowScales>
  void rows(const Block& block, int64_t m0, int64_t n0, int64_t begin, int64_t end) const {
    const __mmask16 mask[2] = {first16(p.N - n0), first16(p.N - n0 - 16)};
    const __m512 one = _mm512_set1_ps(1.0f);
    __m512 scale[2] = {one, one};
    if (p.column_scales != nullptr) {
      scale[0] = _mm512_maskz_loadu_ps(mask[0], p.column_scales + n0);
      scale[1] = _mm512_maskz_loadu_ps(mask[1], p.column_scales + n0 + 16);
    }
    const int64_t ldc = p.ldc, at = (m0 + begin) * ldc + n0;
    const float* const row_scales = p.row_scales + (kRowScales ? m0 : 0);
    const float* addend = p.addend + (kAddend ? at : 0);
    float* c = p.c + at;
    for (int64_t m = begin; m < end; ++m, c += ldc, addend += kAddend ? ldc : 0) {
      const __m512 row_scale = kRowScales ? _mm512_set1_ps(row_scales[m]) : one;
      for (int half = 0; half < 2; ++half) {
        __m512 y = _mm512_mul_ps(_mm512_load_ps(&block.values[m][16 * half]),
                                 _mm512_mul_ps(row_scale, scale[half]));
        if constexpr (kAddend)
          y = _mm512_add_ps(_mm512_maskz_loadu_ps(mask[half], addend + 16 * half), y);
        _mm512_mask_storeu_ps(c + 16 * half, mask[half], y);
      }
    }
  }
};

}  // namespace

void multiply(const Product& p) {
  Pipeline<Scale> pipeline(Scale{p});
  multiply_blocks(p, true, pipeline);
}

}  // namespace bitlaw::cpu::amx
