// The tile unit for the files compiled for it (*_amx.cpp): its configuration, and vector helpers.
// Everything is in an unnamed namespace, as in simd_avx512.h. Functions that handle one tile are
// always_inline where it matters: otherwise GCC stops inlining in large functions, and attention's
// backward pass takes 1.15 times as long.
#pragma once

// GCC 12 warns about undefined vectors inside its own intrinsics (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"

#include <immintrin.h>

#include <cstdint>

#include "ops/cpu/amx/products_amx.h"

namespace bitlaw::cpu::amx {
namespace {

// The first n of sixteen or 32 lanes.
inline __mmask16 first16(int64_t n) {
  return n >= 16 ? 0xffff : n <= 0 ? 0 : static_cast<__mmask16>((1u << n) - 1);
}
inline __mmask32 first32(int64_t n) {
  return n >= 32 ? 0xffffffffu : n <= 0 ? 0 : (1u << n) - 1;
}

// Thirty-two floats to BF16, ties to even. Subnormal numbers become zero, as they would in a tile
// product.
inline __m512i rounded(__m512 low, __m512 high) {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// 32 rows of 32 numbers as two tiles of a right side: sixteen pairs of rows, sixteen columns each.
inline __attribute__((always_inline)) void store_pairs(const uint16_t* x, int64_t ld,
                                                       uint16_t* left, uint16_t* right) {
  const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
  const __m512i second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
#pragma GCC unroll 4
  for (int i = 0; i < 16; ++i, x += 2 * ld) {
    const __m512i even = _mm512_loadu_si512(x), odd = _mm512_loadu_si512(x + ld);
    const __m512i low = _mm512_unpacklo_epi16(even, odd), high = _mm512_unpackhi_epi16(even, odd);
    _mm512_storeu_si512(left + 32 * i, _mm512_permutex2var_epi64(low, first, high));
    _mm512_storeu_si512(right + 32 * i, _mm512_permutex2var_epi64(low, second, high));
  }
}

// Eight tiles of sixteen rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// The compiler does not know what tile instructions read and write.
inline void barrier() {
  asm volatile("" ::: "memory");
}

class Tiles {  // the tile unit is configured during its life, and longer if it is held
 public:
  Tiles() {
    static constexpr TileConfig config;
    barrier();
    if (tile_use.configured) return;
    _tile_loadconfig(&config);
    tile_use.configured = true;
  }
  ~Tiles() {
    if (tile_use.held == 0) release();
    barrier();
  }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  static void release() {
    _tile_release();
    tile_use.configured = false;
  }
};

}  // namespace
}  // namespace bitlaw::cpu::amx
