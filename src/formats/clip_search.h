// The clip search of a block with FP32 scales and no zero point (formats/weight_scheme.h): of the
// factors 1, 0.99 .. 0.20, the one whose range, factor * absmax, has the least squared error; of
// equal ones, the largest.
//
// Trying all 81 is the definition. Most are ruled out first, by lower bounds of their errors that
// cannot be wrong, so that the same factor is found. Of a block divided by its absmax, every entry
// t is within 1. At factor f the values are f * code / max_code, and t is as far from the nearest
// of them as a function r(f, t) says that depends on the format alone and changes by at most |dt|.
// So with t in a bin of half-width h around a centre c,
//
//   (x - value)^2 >= absmax^2 max(0, r(f, c) - h)^2,
//
// which a table holds as integers, rounded down. A block's bounds are the sums of its rows of the
// table. Factors whose bound exceeds an error that was found are not tried.
//
// The factors are in parts of descending ones. The last column of a part bounds the errors at all
// factors of the parts behind it: what lies beyond the range of the largest of them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/isa.h"
#include "formats/block_error.h"
#include "formats/format.h"

namespace bitlaw {

inline constexpr int kClipFactors = 81;
inline constexpr std::array<float, kClipFactors> kClipFactor = [] {
  std::array<float, kClipFactors> factors{};
  for (int i = 0; i < kClipFactors; ++i)
    factors.at(static_cast<size_t>(i)) = static_cast<float>(100 - i) / 100;
  return factors;
}();
constexpr float clip_factor(int index) {
  return kClipFactor[static_cast<size_t>(index)];
}

class ClipTable {
 public:
  static constexpr int kColumns = 32, kPartFactors = kColumns - 1;
  static constexpr int kParts = (kClipFactors + kPartFactors - 1) / kPartFactors;
  // Bins are 1 / kBinsPerUnit wide, the first around -1 and the last around 1.
  static constexpr int kBinsPerUnit = 2048, kBins = 2 * kBinsPerUnit + 1;
  // So many entries of the table can be added in 16 bits.
  static constexpr int kAddable = 4, kLargest = 65535 / kAddable;

  struct alignas(64) Row {
    std::array<uint16_t, kColumns> bounds;
  };

  ClipTable() = default;
  explicit ClipTable(const Format& format);
  const BlockRounding& rounding() const { return rounding_; }  // without scale
  // Where a part's i-th factor stands: the first half in even columns.
  static constexpr int column(int i) {
    return i < kColumns / 2 ? 2 * i : 2 * (i - kColumns / 2) + 1;
  }
  // What the entries count, in absmax^2.
  double unit() const { return unit_; }
  const Row* part(int index) const { return rows_.data() + static_cast<int64_t>(index) * kBins; }

 private:
  BlockRounding rounding_;
  double unit_ = 1;
  std::vector<Row> rows_;  // [kParts][kBins]
};

const ClipTable& clip_table(const Format& format);

struct ClipBlock {
  const ClipTable& table;
  const float* w;  // [count], finite
  int64_t count;
  float absmax;
};

// Whether the bounds hold: the scale of every factor is far from the ends of a float's range.
bool clip_bounds_hold(const Format& format, float absmax);

// The factor's index. Only if the bounds hold.
int best_clip(const ClipBlock& block);
int best_clip(Isa isa, const ClipBlock& block);

int best_clip_plain(const ClipBlock& block);
int best_clip_avx2(const ClipBlock& block);
int best_clip_avx512(const ClipBlock& block);

}  // namespace bitlaw
