#include "formats/clip_search.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "formats/per_format.h"

namespace bitlaw {
namespace {

// What is rounded besides: t, with two operations; scale and value, with three, of up to twice
// absmax; r itself. The float difference and the sum are within the factor.
constexpr double kRoundings = 0x1p-20, kNearlyOne = 1 - 0x1p-20;
constexpr double kHalfBin = 0.5 / ClipTable::kBinsPerUnit;

uint16_t bound_of(double distance, double unit) {
  const double least = std::max(0.0, distance - kHalfBin - kRoundings) * kNearlyOne;
  return static_cast<uint16_t>(
      std::min<double>(ClipTable::kLargest, std::floor(least * least / unit)));
}

// r(factor, t)
double to_nearest_value(const Format& format, float factor, double t) {
  const double scale = static_cast<double>(factor) / format.max_code;
  return std::fabs(t - scale * round_to_code(format, static_cast<float>(t / scale)));
}

double beyond_range(const Format& format, float factor, double t) {
  const double scale = static_cast<double>(factor) / format.max_code;
  return std::max({0.0, t - scale * format.max_code, scale * format.min_code - t});
}

}  // namespace

// Large enough that half the range is less than kLargest, small beside the error of a step.
ClipTable::ClipTable(const Format& format)
    : rounding_(unscaled_rounding(format)),
      unit_(std::ldexp(1.0, -std::min(16, 12 + format.bits))),
      rows_(size_t{kParts} * kBins) {
  auto row = rows_.begin();
  for (int first = 0; first < kClipFactors; first += kPartFactors) {
    const int next = std::min(first + kPartFactors, kClipFactors);
    for (int bin = 0; bin < kBins; ++bin, ++row) {
      const double t = static_cast<double>(bin - kBinsPerUnit) / kBinsPerUnit;
      row->bounds.fill(kLargest);
      for (int i = first; i < next; ++i) {
        row->bounds.at(static_cast<size_t>(column(i - first))) =
            bound_of(to_nearest_value(format, clip_factor(i), t), unit_);
      }
      if (next < kClipFactors) {
        row->bounds.back() = bound_of(beyond_range(format, clip_factor(next), t), unit_);
      }
    }
  }
}

const ClipTable& clip_table(const Format& format) {
  BITLAW_CHECK(format.scaled());
  static PerFormat<ClipTable> tables;
  return tables.get(format, [](const Format& of) { return ClipTable(of); });
}

bool clip_bounds_hold(const Format& format, float absmax) {
  return absmax <= 0x1p100f && absmax / format.max_code >= 0x1p-100f;
}

int best_clip(const ClipBlock& block) {
  return best_clip(best_isa(), block);
}

int best_clip(Isa isa, const ClipBlock& block) {
  switch (isa) {
    case Isa::kAvx512:
      return best_clip_avx512(block);
    case Isa::kAvx2:
      return best_clip_avx2(block);
    case Isa::kPlain:
      break;
  }
  return best_clip_plain(block);
}

}  // namespace bitlaw
