#include "ops/cpu/amx/split_products_amx.h"

#include "ops/cpu/amx/tile_unit_amx.h"

namespace bitlaw::cpu::amx {

// ---------------------------------------------------------------------------------- splitting
namespace {

constexpr int kMostTerms = 3;

// The leading eight bits of sixteen floats as BF16; `x` keeps the rest, which is exact.
inline __m256i cut(__m512& x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i upper = _mm512_and_si512(bits, _mm512_set1_epi32(static_cast<int>(0xffff0000u)));
  x = _mm512_sub_ps(x, _mm512_castsi512_ps(upper));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16));
}

// Sixteen rows of 32 numbers, each term in its own tile; zero beyond `rows` and `columns`.
void cut_tiles(const Numbers& x, int64_t r, int64_t k, int64_t rows, int64_t columns, int terms,
               uint16_t* out) {
  for (int64_t i = 0; i < kRows; ++i, out += kStep) {
    if (i >= rows) {
      for (int t = 0; t < terms; ++t) _mm512_storeu_si512(out + t * kTile, _mm512_setzero_si512());
      continue;
    }
    const int64_t at = (r + i) * x.ld + k;
    if (x.bf16 != nullptr) {
      _mm512_storeu_si512(out, _mm512_maskz_loadu_epi16(first32(columns), x.bf16 + at));
      continue;
    }
    __m512 low = _mm512_maskz_loadu_ps(first16(columns), x.f32 + at);
    __m512 high = _mm512_maskz_loadu_ps(first16(columns - 16), x.f32 + at + 16);
    for (int t = 0; t < terms; ++t) {
      const __m256i first = cut(low), second = cut(high);
      _mm512_storeu_si512(out + t * kTile,
                          _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1));
    }
  }
}

// f(first k, numbers) for every step.
template <class F>
void each_step(const Split& split, F f) {
  for (int64_t begin = 0; begin < split.K; begin += split.block) {
    const int64_t end = begin + split.block < split.K ? begin + split.block : split.K;
    for (int64_t k = begin; k < end; k += kStep) f(k, end - k < kStep ? end - k : kStep);
  }
}

}  // namespace

void split_left(const Numbers& x, int64_t rows, const Split& split, uint16_t* out) {
  for (int64_t r = 0; r < rows; r += kRows) {
    each_step(split, [&](int64_t k, int64_t columns) {
      cut_tiles(x, r, k, rows - r, columns, split.terms, out);
      out += split.terms * kTile;
    });
  }
}

void split_right(const Numbers& x, int64_t rows, const Split& split, uint16_t* out) {
  alignas(64) uint16_t tiles[kMostTerms * kTile];
  for (int64_t r = 0; r < rows; r += kRows) {
    each_step(split, [&](int64_t k, int64_t columns) {
      cut_tiles(x, r, k, rows - r, columns, split.terms, tiles);
      for (int t = 0; t < split.terms; ++t, out += kTile)
        tile_right(tiles + t * kTile, kStep, true, kStep, kRows, out);
    });
  }
}

// ------------------------------------------------------------------------------------ products
namespace {

struct alignas(64) Square {
  float values[32][32];
};

// One block of k of one square of C, whose sum has left the tiles.
struct Done {
  const Square* sum = nullptr;
  int64_t m = 0, n = 0, block = 0;
  int64_t row = 32, rows = 0;  // rows row .. rows are left to do
};

// sum (+)= block * scales, 32 columns at once.
template <bool A, bool B>
inline void add_scaled(const Square& block, const float* a_scales, const float* b_scales,
                       int64_t rows, bool two, bool first, Square& sum) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 b0 = B ? _mm512_loadu_ps(b_scales) : one;
  const __m512 b1 = B && two ? _mm512_loadu_ps(b_scales + 16) : one;
  for (int64_t m = 0; m < rows; ++m) {
    const __m512 a = A ? _mm512_set1_ps(a_scales[m]) : one;
    const __m512 s0 = A && B ? _mm512_mul_ps(a, b0) : A ? a : b0;
    const __m512 s1 = A && B ? _mm512_mul_ps(a, b1) : A ? a : b1;
    const __m512 x0 = _mm512_load_ps(&block.values[m][0]);
    const __m512 x1 = _mm512_load_ps(&block.values[m][16]);
    if (first) {
      _mm512_store_ps(&sum.values[m][0], _mm512_mul_ps(x0, s0));
      _mm512_store_ps(&sum.values[m][16], _mm512_mul_ps(x1, s1));
    } else {
      _mm512_store_ps(&sum.values[m][0],
                      _mm512_fmadd_ps(x0, s0, _mm512_load_ps(&sum.values[m][0])));
      _mm512_store_ps(&sum.values[m][16],
                      _mm512_fmadd_ps(x1, s1, _mm512_load_ps(&sum.values[m][16])));
    }
  }
}

// What becomes of the tiles' sums. Where there is one block, C is written a few rows at a time
// between the tile products of what comes next: two units of the core that would otherwise wait for
// each other. Blocks of a few steps leave too little between them for that: they are added whole,
// while the next one's products are under way.
class Sums {
 public:
  explicit Sums(const SplitProduct& p)
      : p_(p),
        blocks_((p.K + p.block - 1) / p.block),
        padded_n_(panels(p.N) * kRows),
        scaled_(p.a_scales != nullptr || p.b_scales != nullptr) {}

  Square& take() { return squares_[turn_ ^= 1]; }  // for the tiles' sum
  // It is there; the one before is finished.
  void set(const Square& sum, int64_t m, int64_t n, int64_t block) {
    finish();
    done_ = {&sum, m, n, block, 0, p_.M - m < 32 ? p_.M - m : 32};
  }
  void step() {
    if (!scaled_ && done_.row < done_.rows) write(*done_.sum, done_.row + kRowsAStep);
  }
  void finish() {
    if (done_.row >= done_.rows) return;
    if (!scaled_) return write(*done_.sum, done_.rows);
    const bool two = p_.N - done_.n > 16, first = done_.block == 0;
    const float* a =
        p_.a_scales == nullptr ? nullptr : p_.a_scales + done_.block / p_.a_blocks * p_.M + done_.m;
    const float* b = p_.b_scales == nullptr
                         ? nullptr
                         : p_.b_scales + done_.block / p_.b_blocks * padded_n_ + done_.n;
    if (a != nullptr && b != nullptr) {
      add_scaled<true, true>(*done_.sum, a, b, done_.rows, two, first, total_);
    } else if (a != nullptr) {
      add_scaled<true, false>(*done_.sum, a, b, done_.rows, two, first, total_);
    } else {
      add_scaled<false, true>(*done_.sum, a, b, done_.rows, two, first, total_);
    }
    if (done_.block == blocks_ - 1) return write(total_, done_.rows);
    done_.row = done_.rows;
  }

 private:
  static constexpr int64_t kRowsAStep = 4;

  // The rows of C from done_.row up to `end`.
  void write(const Square& square, int64_t end) {
    if (end > done_.rows) end = done_.rows;
    for (int64_t half = 0; half < 32 && done_.n + half < p_.N; half += 16) {
      const int64_t n = done_.n + half;
      const __mmask16 mask = first16(p_.N - n);
      const __m512 column_scale = p_.column_scales == nullptr
                                      ? _mm512_set1_ps(1.0f)
                                      : _mm512_maskz_loadu_ps(mask, p_.column_scales + n);
      for (int64_t r = done_.row; r < end; ++r) {
        const int64_t m = done_.m + r, at = m * p_.ldc + n;
        const __m512 row_scale = _mm512_set1_ps(p_.row_scales == nullptr ? 1.0f : p_.row_scales[m]);
        __m512 y = _mm512_mul_ps(_mm512_load_ps(&square.values[r][half]),
                                 _mm512_mul_ps(row_scale, column_scale));
        if (p_.addend != nullptr) y = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, p_.addend + at), y);
        _mm512_mask_storeu_ps(p_.c + at, mask, y);
      }
    }
    done_.row = end;
  }

  const SplitProduct& p_;
  int64_t blocks_, padded_n_;
  bool scaled_;
  Done done_;
  int turn_ = 0;
  Square squares_[2] = {}, total_ = {};
};

// Tiles 0..3 are C, 4 and 5 A, 6 and 7 B: P panels of A by Q panels of B, all pairs of terms of
// `steps` steps. A term of B that was loaded last is used again.
template <int P, int Q, int ATerms, int BTerms>
inline void multiply_steps(const SplitProduct& p, const uint16_t* a, const uint16_t* b,
                           int64_t b_panel, int64_t steps, Sums& sums) {
  const int64_t a_bytes = p.a_row * 2;
  for (int64_t s = 0; s < steps; ++s, a += p.a_step, b += BTerms * kTile) {
    int loaded = -1;
#pragma GCC unroll 3
    for (int i = 0; i < ATerms; ++i) {
      _tile_loadd(4, a + i * kTile, a_bytes);
      if constexpr (P == 2) _tile_loadd(5, a + i * kTile + p.a_panel, a_bytes);
#pragma GCC unroll 2
      for (int step = 0; step < BTerms; ++step) {
        const int j = i % 2 == 0 ? step : BTerms - 1 - step;
        if (j != loaded) {
          _tile_loadd(6, b + j * kTile, 64);
          if constexpr (Q == 2) _tile_loadd(7, b + j * kTile + b_panel, 64);
          loaded = j;
        }
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (Q == 2) _tile_dpbf16ps(1, 4, 7);
        if constexpr (P == 2) _tile_dpbf16ps(2, 5, 6);
        if constexpr (P == 2 && Q == 2) _tile_dpbf16ps(3, 5, 7);
      }
    }
    sums.step();
  }
}

template <int ATerms, int BTerms>
class Run {
 public:
  explicit Run(const SplitProduct& p)
      : p_(p), sums_(p), split_{p.K, p.block, BTerms}, b_panel_(split_.panel()) {}

  void square(int64_t m, int64_t n) {
    const uint16_t* a = p_.a + m / kRows * p_.a_panel;
    const uint16_t* b = p_.b + n / kRows * b_panel_;
    const bool two_rows = p_.M - m > 16, two_columns = p_.N - n > 16;
    for (int64_t block = 0, k = 0; k < p_.K; ++block, k += p_.block) {
      const int64_t count = steps(p_.K - k < p_.block ? p_.K - k : p_.block);
      Square& out = sums_.take();
      if (two_rows && two_columns) {
        multiply<2, 2>(a, b, count, out);
      } else if (two_rows) {
        multiply<2, 1>(a, b, count, out);
      } else if (two_columns) {
        multiply<1, 2>(a, b, count, out);
      } else {
        multiply<1, 1>(a, b, count, out);
      }
      sums_.set(out, m, n, block);
      a += count * p_.a_step;
      b += count * BTerms * kTile;
    }
  }
  void finish() { sums_.finish(); }

 private:
  template <int P, int Q>
  void multiply(const uint16_t* a, const uint16_t* b, int64_t count, Square& out) {
    _tile_zero(0);
    if constexpr (Q == 2) _tile_zero(1);
    if constexpr (P == 2) _tile_zero(2);
    if constexpr (P == 2 && Q == 2) _tile_zero(3);
    multiply_steps<P, Q, ATerms, BTerms>(p_, a, b, b_panel_, count, sums_);
    _tile_stored(0, &out.values[0][0], 128);
    if constexpr (Q == 2) _tile_stored(1, &out.values[0][16], 128);
    if constexpr (P == 2) _tile_stored(2, &out.values[16][0], 128);
    if constexpr (P == 2 && Q == 2) _tile_stored(3, &out.values[16][16], 128);
    barrier();
  }

  const SplitProduct& p_;
  Sums sums_;
  Split split_;
  int64_t b_panel_;
};

template <int ATerms, int BTerms>
void run(const SplitProduct& p) {
  Run<ATerms, BTerms> run(p);
  for (int64_t begin = 0; begin < p.M; begin += p.rows_at_once) {
    const int64_t end = begin + p.rows_at_once < p.M ? begin + p.rows_at_once : p.M;
    for (int64_t n = 0; n < p.N; n += 32) {
      for (int64_t m = begin; m < end; m += 32) run.square(m, n);
    }
  }
  run.finish();
}

}  // namespace

void multiply_split(const SplitProduct& p) {
  const Tiles in_use;
  constexpr void (*kRuns[kMostTerms][2])(const SplitProduct&) = {
      {run<1, 1>, run<1, 2>}, {run<2, 1>, run<2, 2>}, {run<3, 1>, run<3, 2>}};
  kRuns[p.a_terms - 1][p.b_terms - 1](p);
}

}  // namespace bitlaw::cpu::amx
