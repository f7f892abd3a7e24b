// Included by one file per instruction set, which first defines kWidth, the floats per vector.
#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "formats/block_error_body.h"
#include "formats/clip_search.h"

namespace bitlaw {
namespace {

constexpr int kColumns = ClipTable::kColumns, kRowVectors = kColumns / (2 * kWidth);
typedef uint16_t Shorts __attribute__((vector_size(2 * kWidth * sizeof(uint16_t))));

// One number for every factor of a part, and the last for those behind the part.
struct PerFactor {
  Words of[2 * kRowVectors] = {};

  uint32_t operator[](int i) const { return of[i / kWidth][i % kWidth]; }
};

// A constant.
template <class Function>
inline PerFactor per_factor(Function) {
  static constexpr auto kNumbers = [] {
    std::array<uint32_t, kColumns> numbers{};
    for (uint32_t i = 0; i < kColumns; ++i) numbers[i] = Function{}(i);
    return numbers;
  }();
  PerFactor out;
  std::memcpy(out.of, kNumbers.data(), sizeof out.of);
  return out;
}

template <int step, class Combine>
inline uint32_t across(Words x, Combine combine) {
  const Words others = [&]<int... i>(std::integer_sequence<int, i...>) {
    return Words(__builtin_shufflevector(x, x, (i ^ step)...));
  }
  (std::make_integer_sequence<int, kWidth>{});
  x = combine(x, others);
  if constexpr (step > 1) return across<step / 2>(x, combine);
  return x[0];
}

// The factor with the smallest; of equal ones, the first. All are below 2^27.
inline int place_of_least(const PerFactor& x) {
  const PerFactor place =
      per_factor([](uint32_t i) { return i < ClipTable::kPartFactors ? i : UINT32_MAX; });
  const auto least_of = [](Words a, Words b) { return a < b ? a : b; };
  Words least = x.of[0] << 5 | place.of[0];
  for (int v = 1; v < 2 * kRowVectors; ++v) least = least_of(least, x.of[v] << 5 | place.of[v]);
  return static_cast<int>(across<kWidth / 2>(least, least_of) % kColumns);
}

// Bit i: x[i] <= limit.
inline uint32_t at_most(const PerFactor& x, uint32_t limit) {
#ifdef __AVX512F__
  const __m512i most = _mm512_set1_epi32(static_cast<int>(limit));
  return _mm512_cmple_epu32_mask((__m512i)x.of[0], most) |
         static_cast<uint32_t>(_mm512_cmple_epu32_mask((__m512i)x.of[1], most)) << kWidth;
#else
  const PerFactor bit = per_factor([](uint32_t i) { return 1u << i; });
  Words bits = {};
  for (int v = 0; v < 2 * kRowVectors; ++v) bits |= (Words)(x.of[v] <= limit) & bit.of[v];
  return across<kWidth / 2>(bits, [](Words a, Words b) { return a | b; });
#endif
}

constexpr int kChunk = 256;

// The bins of entries, and of zeros behind the last, up to a multiple of kAddable.
void find_bins(const float* w, int64_t count, float bins_per_absmax, uint32_t* bins) {
  const auto bins_of = [&](Floats x) {
    // The last bits of a float in 2^23 .. 2^24 are an integer, rounded to nearest.
    return (Words)(x * bins_per_absmax + 12582912.0f) -
           (0x4b400000u - static_cast<uint32_t>(ClipTable::kBinsPerUnit));
  };
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const Words some = bins_of(load(w + i));
    std::memcpy(bins + i, &some, sizeof some);
  }
  const int64_t left = count - i;
  if (left > 0) {
    float rest[kWidth] = {};
    std::memcpy(rest, w + i, static_cast<size_t>(left) * sizeof(float));
    const Words some = bins_of(load(rest));
    std::memcpy(bins + i, &some, sizeof some);
    i += kWidth;
  }
  for (; i % ClipTable::kAddable != 0; ++i) bins[i] = ClipTable::kBinsPerUnit;
}

// Adds the rows of the entries, >> shift. Even columns come first, as in ClipTable::column().
void add_rows(const ClipTable::Row* rows, const uint32_t* bins, int64_t count, int shift,
              PerFactor& sums) {
  PerFactor chunk;
  for (int64_t i = 0; i < count; i += ClipTable::kAddable) {
    Shorts added[kRowVectors] = {};
    for (int k = 0; k < ClipTable::kAddable; ++k) {
      Shorts row[kRowVectors];
      std::memcpy(row, rows[bins[i + k]].bounds.data(), sizeof row);
      for (int v = 0; v < kRowVectors; ++v) added[v] += row[v];
    }
    for (int v = 0; v < kRowVectors; ++v) {
      chunk.of[v] += (Words)added[v] & 0xffffu;
      chunk.of[kRowVectors + v] += (Words)added[v] >> 16;
    }
  }
  for (int v = 0; v < 2 * kRowVectors; ++v) sums.of[v] += chunk.of[v] >> shift;
}

class ClipSearch {
 public:
  explicit ClipSearch(const ClipBlock& block)
      : block_(block),
        shift_(shift_for(block.count)),
        per_unit_(1 / (static_cast<double>(block.absmax) * block.absmax * block.table.unit() *
                       static_cast<double>(int64_t{1} << shift_))),
        rounding_(block.table.rounding()) {}

  int best() {
    for (int part = 0; part < ClipTable::kParts; ++part) {
      const PerFactor bounds = bounds_of(part);
      const int first = part * ClipTable::kPartFactors;
      const int guess = place_of_least(bounds);
      consider(first + guess);
      const uint32_t factors = (1u << std::min(ClipTable::kPartFactors, kClipFactors - first)) - 1;
      uint32_t left = at_most(bounds, limit()) & factors & ~(1u << guess);
      while (left != 0) {
        const int i = std::countr_zero(left);
        left &= left - 1;
        consider(first + i);
      }
      if (bounds[ClipTable::kPartFactors] > limit()) break;
    }
    return best_;
  }

 private:
  static int shift_for(int64_t count) {
    int shift = 0;
    while ((count * ClipTable::kLargest >> shift) >= 1 << 27) ++shift;
    return shift;
  }

  // The largest bound that an error of at most the best may have.
  uint32_t limit() const {
    return static_cast<uint32_t>(std::min(error_ * per_unit_, static_cast<double>(UINT32_MAX)));
  }

  PerFactor bounds_of(int part) const {
    PerFactor sums;
    uint32_t bins[kChunk];
    const float bins_per_absmax = ClipTable::kBinsPerUnit * (1.0f / block_.absmax);
    for (int64_t i = 0; i < block_.count; i += kChunk) {
      const int64_t count = std::min<int64_t>(kChunk, block_.count - i);
      find_bins(block_.w + i, count, bins_per_absmax, bins);
      add_rows(block_.table.part(part), bins, count, shift_, sums);
    }
    return sums;
  }

  // Without a branch, which would often be mispredicted. Of equal errors the first factor stays.
  void consider(int index) {
    rounding_.scale = block_.absmax * clip_factor(index) / rounding_.highest;
    rounding_.inverse = 1.0f / rounding_.scale;
    const double error = squared_error_here(rounding_, block_.w, block_.count);
    const bool better = (error < error_) | ((error == error_) & (index < best_));
    error_ = better ? error : error_;
    best_ = better ? index : best_;
  }

  const ClipBlock& block_;
  int shift_;        // of the bounds, so that they stay below 2^27
  double per_unit_;  // what a bound counts, inverted
  BlockRounding rounding_;
  double error_ = std::numeric_limits<double>::infinity();
  int best_ = kClipFactors;
};

int best_clip_here(const ClipBlock& block) {
  return ClipSearch(block).best();
}

}  // namespace
}  // namespace bitlaw
