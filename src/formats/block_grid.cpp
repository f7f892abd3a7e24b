#include "formats/block_grid.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "formats/block_error.h"
#include "formats/clip_search.h"
#include "formats/e8m0.h"
#include "formats/gaussian_scale.h"
#include "formats/quantizer.h"

namespace bitlaw {
namespace {

std::vector<float> codes_from_zero(const Format& format) {
  std::vector<float> codes = all_codes(format);
  codes.erase(codes.begin(), std::lower_bound(codes.begin(), codes.end(), 0.0f));
  return codes;
}

// The code of a number >= 0 that E4M3 has: the numbers below 2^-6 are multiples of 2^-9.
int64_t e4m3_code(float number) {
  if (number < 0x1p-6f) return static_cast<int64_t>(number * 512);
  return (std::bit_cast<uint32_t>(number) >> 20) - ((127 - 7) << 3);
}

// Grids of one block. `lo` and `hi` are its range, of which the asymmetric grid takes both ends and
// the others the larger magnitude.
class BlockSearch {
 public:
  BlockSearch(const WeightScheme& scheme, float tensor_scale, const float* w, int64_t count,
              bool tries_all)
      : scheme_(scheme), tensor_scale_(tensor_scale), w_(w), count_(count), tries_all_(tries_all) {}

  BlockGrid find() {
    if (scheme_.asymmetric) {
      float lo = 0, hi = 0;
      for (int64_t i = 0; i < count_; ++i) {
        lo = std::min(lo, w_[i]);
        hi = std::max(hi, w_[i]);
      }
      return shrink([&](float factor) { return between(lo * factor, hi * factor); });
    }
    if (scheme_.gauss) return gaussian();
    const float absmax = largest_magnitude(w_, count_);
    if (absmax == 0) return {};
    switch (scheme_.scales) {
      case ScaleRule::kFloat32:
        if (scheme_.clip && !tries_all_ && clip_bounds_hold(scheme_.format, absmax))
          return within(absmax * clip_factor(best_clip_of(absmax)));
        return shrink([&](float factor) { return within(absmax * factor); });
      case ScaleRule::kE8M0:
        return power_of_two(absmax);
      case ScaleRule::kE4M3:
        return e4m3(absmax);
    }
    return {};
  }

 private:
  BlockGrid between(float lo, float hi) const {
    const float codes = scheme_.highest_code();
    const auto scale = static_cast<float>((static_cast<double>(hi) - lo) / codes);
    if (scale < kSmallestNormal) return {};
    const float inverse = 1.0f / scale;
    return {scale, inverse, std::clamp(std::nearbyint((0.0f - lo) * inverse), 0.0f, codes)};
  }

  BlockGrid within(float absmax) const {
    const BlockScale block = block_scale(scheme_.format, absmax);
    return {block.scale, block.inverse, 0};
  }

  static BlockGrid of_scale(float scale, float smallest) {
    if (scale < smallest) return {};
    return {scale, 1.0f / scale, 0};
  }

  BlockGrid gaussian() const {
    const double squares = sum_of_squares(w_, count_);
    if (squares == 0) return {};
    const float scale = gaussian_scale(scheme_.format, squares, count_);
    switch (scheme_.scales) {
      case ScaleRule::kFloat32:
        return of_scale(scale, kSmallestNormal);
      case ScaleRule::kE8M0: {
        if (scale < kSmallestNormal / 2) return {};
        const int unit = e8m0_unit(scheme_.format);
        const int exponent = std::min(std::ilogb(scale) + unit, kE8M0Bias);
        return of_scale(e8m0_scale(scheme_.format, exponent), kSmallestNormal / 2);
      }
      case ScaleRule::kE4M3:
        return of_scale(e4m3_number(scale, tensor_scale_) * tensor_scale_, kSmallestNormal);
    }
    return {};
  }

  // The grid of factor 1, or the best of all.
  template <class Grid>
  BlockGrid shrink(Grid grid) {
    if (!scheme_.clip) return grid(1.0f);
    for (int i = 0; i < kClipFactors; ++i) consider(grid(clip_factor(i)));
    return best_;
  }

  int best_clip_of(float absmax) const {
    return best_clip({clip_table(scheme_.format), w_, count_, absmax});
  }

  BlockGrid power_of_two(float absmax) {
    const Format& element = scheme_.format;
    const auto grid = [&](int exponent) {
      return of_scale(e8m0_scale(element, exponent), kSmallestNormal / 2);
    };
    const int rule = shared_exponent(element, absmax);
    if (!scheme_.clip) return grid(rule);
    for (int exponent = std::min(rule + 1, kE8M0Bias); exponent >= std::max(rule - 2, -kE8M0Bias);
         --exponent)
      consider(grid(exponent));
    return best_;
  }

  BlockGrid e4m3(float absmax) {
    const float rule = e4m3_number(absmax / scheme_.format.max_code, tensor_scale_);
    const auto grid = [&](float code) { return of_scale(code * tensor_scale_, kSmallestNormal); };
    if (!scheme_.clip) return grid(rule);
    static const std::vector<float> codes = codes_from_zero(float_format(4, 3));
    if (std::isnan(rule)) return {};
    auto at = codes.begin() + e4m3_code(rule);
    if (at + 1 != codes.end()) ++at;
    const float least = rule * 20 / 100;
    if (!tries_all_) return e4m3_among(&*at, least);
    for (; *at >= least; --at) {
      consider(grid(*at));
      if (*at == 0) break;
    }
    return best_;
  }

  // The same, several codes at a time.
  BlockGrid e4m3_among(const float* code, float least) {
    for (bool more = true; more;) {
      Scales scales;
      int n = 0;
      for (; n < Scales::kCount && more; ++n) {
        scales.scale[n] = *code * tensor_scale_;
        more = *code > 0 && code[-1] >= least;
        if (more) --code;
      }
      for (int i = 0; i < Scales::kCount; ++i) {
        const bool zeros = scales.scale[i] < kSmallestNormal;
        scales.scale[i] = zeros ? 0 : scales.scale[i];
        scales.inverse[i] = zeros ? 0 : 1.0f / scales.scale[i];
      }
      double errors[Scales::kCount];
      squared_errors(unscaled_rounding(scheme_.format), scales, w_, count_, errors);
      for (int i = 0; i < n; ++i) {
        if (errors[i] < error_) {
          error_ = errors[i];
          best_ = {scales.scale[i], scales.inverse[i]};
        }
      }
      more = more && !cannot_be_better(*code * tensor_scale_);
    }
    return best_;
  }

  // What is beyond the largest code costs as much, or more, at every smaller scale. The constants
  // are for roundings.
  bool cannot_be_better(float scale) const {
    const float reach = std::max(scheme_.format.max_code, -scheme_.format.min_code);
    const float range = scale * reach * (1 + 0x1p-20f);
    return squares_beyond(range, w_, count_) * (1 - 0x1p-20) > error_;
  }

  // Of equal errors the first stays, which has the larger scale.
  void consider(const BlockGrid& grid) {
    const double error = squared_error(rounding_of(grid), w_, count_);
    if (error < error_) {
      error_ = error;
      best_ = grid;
    }
  }

  BlockRounding rounding_of(const BlockGrid& grid) const {
    BlockRounding rounding = unscaled_rounding(scheme_.format);
    rounding.scale = grid.scale;
    rounding.inverse = grid.inverse;
    rounding.lowest = scheme_.lowest_code() - grid.zero;
    rounding.highest = scheme_.highest_code() - grid.zero;
    return rounding;
  }

  const WeightScheme& scheme_;
  float tensor_scale_;
  const float* w_;
  int64_t count_;
  bool tries_all_;
  BlockGrid best_;
  double error_ = std::numeric_limits<double>::infinity();
};

}  // namespace

BlockGrid block_grid(const WeightScheme& scheme, float tensor_scale, const float* w,
                     int64_t count) {
  return BlockSearch(scheme, tensor_scale, w, count, false).find();
}

BlockGrid block_grid_reference(const WeightScheme& scheme, float tensor_scale, const float* w,
                               int64_t count) {
  return BlockSearch(scheme, tensor_scale, w, count, true).find();
}

BlockGrid training_grid(const WeightScheme& scheme, float tensor_scale, const float* w,
                        int64_t count) {
  const BlockGrid grid = block_grid(scheme, tensor_scale, w, count);
  return grid.scale < kSmallestNormal ? BlockGrid{} : grid;
}

float code_of(const WeightScheme& scheme, const BlockGrid& grid, float w) {
  if (!scheme.asymmetric) return round_to_code(scheme.format, w * grid.inverse);
  const float code = std::nearbyint(w * grid.inverse) + grid.zero;
  return std::clamp(code, 0.0f, scheme.highest_code());
}

WeightReference quantize_reference(const WeightScheme& scheme, const float* w, int64_t rows,
                                   int64_t columns) {
  const auto size = static_cast<size_t>(rows * columns);
  WeightReference out{.tensor_scale = tensor_scale(scheme, largest_magnitude(w, rows * columns)),
                      .codes = std::vector<float>(size),
                      .scales = std::vector<float>(size),
                      .zeros = std::vector<float>(size),
                      .values = std::vector<float>(size)};
  const int64_t group = scheme.group == 0 ? std::max<int64_t>(columns, 1) : scheme.group;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t begin = 0; begin < columns; begin += group) {
      const int64_t count = std::min(group, columns - begin);
      const float* block = w + r * columns + begin;
      const BlockGrid grid = block_grid_reference(scheme, out.tensor_scale, block, count);
      for (int64_t i = 0; i < count; ++i) {
        const auto at = static_cast<size_t>(r * columns + begin + i);
        out.codes[at] = code_of(scheme, grid, block[i]);
        out.scales[at] = grid.scale;
        out.zeros[at] = grid.zero;
        out.values[at] = value_of(grid, out.codes[at]);
      }
    }
  }
  return out;
}

}  // namespace bitlaw
