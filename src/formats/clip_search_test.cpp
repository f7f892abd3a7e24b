#include "formats/clip_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "formats/block_grid.h"
#include "formats/quantizer.h"

namespace bitlaw {
namespace {

constexpr const char* kSearched[] = {"int2",  "int3", "int4", "int5", "int8", "int12",
                                     "int16", "e2m0", "e2m1", "e2m3", "e3m0", "e3m2",
                                     "e4m3",  "e5m2", "e5m6", "e7m0", "e2m10"};

// The blocks that a search may meet, by number: normal and heavy-tailed numbers, uniform ones,
// multiples of a step (many errors are equal then), all but one entry alike, mostly zeros, one
// sign.
std::vector<float> block_to_search(int64_t count, uint64_t seed) {
  std::vector<float> w(static_cast<size_t>(count));
  for (size_t i = 0; i < w.size(); ++i) {
    const auto normal = static_cast<float>(random_normal(seed, 0, i));
    const auto uniform = static_cast<float>(random_uniform(seed, 1, i));
    switch (seed % 8) {
      case 0:
        w[i] = normal;
        break;
      case 1:
        w[i] = normal * normal * normal;
        break;
      case 2:
        w[i] = 2 * uniform - 1;
        break;
      case 3:
        w[i] = std::round(3 * normal);
        break;
      case 4:
        w[i] = i == 0 ? 7.0f : 1.0f;
        break;
      case 5:
        w[i] = uniform < 0.9f ? 0.0f : normal;
        break;
      case 6:
        w[i] = -std::fabs(normal);
        break;
      default:
        w[i] = std::round(16 * uniform) / 16;
    }
  }
  return w;
}

// The first of the factors with the least error, tried one by one.
BlockGrid grid_by_trial(const Format& format, const std::vector<float>& w) {
  const auto count = static_cast<int64_t>(w.size());
  const float absmax = largest_magnitude(w.data(), count);
  BlockRounding rounding = unscaled_rounding(format);
  BlockGrid best;
  if (absmax == 0) return best;
  double least = std::numeric_limits<double>::infinity();
  for (int percent = 100; percent >= 20; --percent) {
    const BlockScale block = block_scale(format, absmax * (static_cast<float>(percent) / 100));
    rounding.scale = block.scale, rounding.inverse = block.inverse;
    const double error = squared_error(rounding, w.data(), count);
    if (error < least) {
      least = error;
      best = {.scale = block.scale, .inverse = block.inverse};
    }
  }
  return best;
}

void expect_grid_by_trial(const std::string& format, const std::vector<float>& w,
                          const std::string& what) {
  const WeightScheme scheme = parse_weight_scheme(format + "-clip");
  const auto count = static_cast<int64_t>(w.size());
  const BlockGrid expected = grid_by_trial(scheme.format, w);
  for (const BlockGrid& grid :
       {block_grid(scheme, 1, w.data(), count), block_grid_reference(scheme, 1, w.data(), count)}) {
    ASSERT_EQ(std::bit_cast<uint32_t>(grid.scale), std::bit_cast<uint32_t>(expected.scale))
        << format << " " << what;
    ASSERT_EQ(std::bit_cast<uint32_t>(grid.inverse), std::bit_cast<uint32_t>(expected.inverse))
        << format << " " << what;
  }
}

TEST(ClipSearch, FindsTheScaleOfTryingAllFactorsBitForBit) {
  for (const std::string format : kSearched) {
    for (const int64_t count : {1, 2, 3, 5, 8, 15, 16, 17, 32, 33, 64, 100, 255, 256, 257, 700}) {
      for (uint64_t seed = 0; seed < 24; ++seed) {
        std::vector<float> w =
            block_to_search(count, seed * 1000 + static_cast<uint64_t>(count) * 8 + seed % 8);
        const float size = std::ldexp(1.0f, static_cast<int>(seed * 7 % 23) - 11);
        for (float& x : w) x *= size;
        expect_grid_by_trial(format, w, std::to_string(count) + ", " + std::to_string(seed));
      }
    }
  }
}

TEST(ClipSearch, FindsItAtTheEndsOfTheRangeOfFloats) {
  for (const std::string format : kSearched) {
    for (const float size : {0x1p-149f, 0x1p-140f, 0x1p-126f, 0x1p-110f, 0x1p-101f, 0x1p-99f,
                             0x1p-60f, 0x1p60f, 0x1p99f, 0x1p101f, 0x1p120f}) {
      for (uint64_t seed = 0; seed < 8; ++seed) {
        std::vector<float> w = block_to_search(40, seed);
        for (float& x : w) x *= size;
        expect_grid_by_trial(format, w, std::to_string(std::ilogb(size)));
      }
    }
    const float largest = std::numeric_limits<float>::max();
    expect_grid_by_trial(format, {largest, -largest, 1, 0x1p-149f}, "largest");
  }
}

TEST(ClipSearch, NumbersThatAreNotFiniteGiveWhatTryingAllDoes) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (const std::string format : kSearched) {
    for (const float odd : {infinity, -infinity, nan, -nan}) {
      std::vector<float> w = block_to_search(40, 0);
      w[17] = odd;
      expect_grid_by_trial(format, w, "not finite");
    }
    expect_grid_by_trial(format, std::vector<float>(40, -0.0f), "zeros");
  }
}

TEST(ClipSearch, RoundedScalesAreThoseOfTryingAllBitForBit) {
  for (const std::string name :
       {"nvfp4-clip", "mxfp4-clip", "mxint8-clip", "int2-e4m3-clip", "int4-e4m3-clip",
        "int8-e4m3-clip", "e4m3-e4m3-clip", "int4-e8m0-clip", "e5m2-e8m0-clip"}) {
    const WeightScheme scheme = parse_weight_scheme(name);
    for (const int64_t count : {1, 7, 15, 16, 17, 32, 100, 300}) {
      for (uint64_t seed = 0; seed < 32; ++seed) {
        std::vector<float> w = block_to_search(count, seed);
        const float size = std::ldexp(1.0f, static_cast<int>(seed * 7 % 23) - 11);
        for (float& x : w) x *= seed % 5 == 4 ? size * 0x1p-124f : size;
        if (seed == 21) w[0] = std::numeric_limits<float>::infinity();
        if (seed == 22) w[0] = std::nanf("");
        for (const float rest : {1.0f, 1.37f, 60.0f, 3e4f}) {  // of the matrix
          const float matrix = tensor_scale(scheme, rest * largest_magnitude(w.data(), count));
          const BlockGrid grid = block_grid(scheme, matrix, w.data(), count);
          const BlockGrid expected = block_grid_reference(scheme, matrix, w.data(), count);
          ASSERT_EQ(std::bit_cast<uint32_t>(grid.scale), std::bit_cast<uint32_t>(expected.scale))
              << name << " " << count << " " << seed << " " << rest;
          ASSERT_EQ(std::bit_cast<uint32_t>(grid.inverse),
                    std::bit_cast<uint32_t>(expected.inverse));
        }
      }
    }
  }
}

TEST(ClipSearch, ErrorsAtSeveralScalesAreThoseOfOneAtATime) {
  for (const std::string name : kSearched) {
    const Format format = parse_format(name);
    const BlockRounding& unscaled = unscaled_rounding(format);
    for (const int64_t count : {1, 15, 16, 17, 50}) {
      const std::vector<float> w = block_to_search(count, 1);
      Scales scales;
      for (int i = 0; i < Scales::kCount - 1; ++i) {  // the last is 0
        const BlockScale block = block_scale(format, 2.0f / static_cast<float>(i + 1));
        scales.scale[i] = block.scale, scales.inverse[i] = block.inverse;
      }
      for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
        if (isa > best_isa()) continue;
        double errors[Scales::kCount];
        squared_errors(isa, unscaled, scales, w.data(), count, errors);
        for (int i = 0; i < Scales::kCount; ++i) {
          BlockRounding rounding = unscaled;
          rounding.scale = scales.scale[i], rounding.inverse = scales.inverse[i];
          EXPECT_EQ(errors[i], squared_error(isa, rounding, w.data(), count)) << name << " " << i;
          const float range = scales.scale[i] * std::max(format.max_code, -format.min_code);
          EXPECT_LE(squares_beyond(isa, range, w.data(), count) * (1 - 0x1p-20), errors[i]);
        }
      }
    }
  }
}

TEST(ClipSearch, EveryInstructionSetFindsTheSame) {
  for (const std::string name : kSearched) {
    const Format format = parse_format(name);
    for (const int64_t count : {1, 31, 64, 300, 20000, 70000}) {
      for (uint64_t seed = 0; seed < 8; ++seed) {
        if (count > 1000 && seed > 1) continue;
        const std::vector<float> w = block_to_search(count, seed);
        const float absmax = largest_magnitude(w.data(), count);
        if (absmax == 0) continue;
        const float expected = grid_by_trial(format, w).scale;
        for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
          if (isa > best_isa()) continue;
          const int found = best_clip(isa, {clip_table(format), w.data(), count, absmax});
          ASSERT_EQ(absmax * clip_factor(found) / format.max_code, expected)
              << name << " " << count << " " << name_of(isa);
        }
      }
    }
  }
}

// Every entry of the table is at most the squared error of every number in its bin.
TEST(ClipSearch, BoundsHoldForEveryNumberInABin) {
  for (const std::string name : kSearched) {
    const Format format = parse_format(name);
    const ClipTable& table = clip_table(format);
    const float absmax = 1.7f;
    for (int n = 0; n < 4000; ++n) {
      const auto t = static_cast<float>(2 * random_uniform(3, 0, static_cast<uint64_t>(n)) - 1);
      const float x = n < 2 ? (n == 0 ? absmax : -absmax) : t * absmax;
      const auto bin = static_cast<int>(std::nearbyint(x * (ClipTable::kBinsPerUnit / absmax)) +
                                        ClipTable::kBinsPerUnit);
      const double unit = table.unit() * absmax * absmax;
      for (int factor = 0; factor < kClipFactors; ++factor) {
        const BlockScale block = block_scale(format, absmax * clip_factor(factor));
        const float difference = x - round_to_code(format, x * block.inverse) * block.scale;
        const double error = static_cast<double>(difference) * difference;
        const int part = factor / ClipTable::kPartFactors;
        const auto bound = [&](int of_part, int i) {
          const auto column = static_cast<size_t>(ClipTable::column(i));
          return unit * table.part(of_part)[bin].bounds.at(column);
        };
        ASSERT_LE(bound(part, factor % ClipTable::kPartFactors), error) << name << " " << t;
        for (int before = 0; before < part; ++before)
          ASSERT_LE(bound(before, ClipTable::kPartFactors), error) << name << " " << t;
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
