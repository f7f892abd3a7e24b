#include "ptq/rounding.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "ptq/matrices_for_tests.h"

namespace bitlaw {
namespace {

// Every whole and half code of a grid with its neighbours, far beyond the ends, and zeros of both
// signs.
std::vector<float> telling_weights(const WeightScheme& scheme, const BlockGrid& grid) {
  std::vector<float> out{0.0f, -0.0f, 1e30f, -1e30f, 1e-30f, -1e-30f};
  for (float code = scheme.lowest_code() - 2; code <= scheme.highest_code() + 2; code += 0.5f) {
    const float w = (code - grid.zero) * grid.scale;
    for (const float end :
         {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()})
      out.push_back(std::nextafter(w, end));
    out.push_back(w);
    out.push_back(-w);
  }
  return out;
}

TEST(Rounding, IsTheDefinitionBitForBit) {
  for (const WeightScheme& scheme : weight_schemes(0)) {
    for (const float zero : {0.0f, 1.0f, scheme.highest_code()}) {
      if (zero != 0 && !scheme.asymmetric) continue;
      for (const float scale : {0.0f, 0.25f, 0.013f}) {
        const BlockGrid grid{scale, scale == 0 ? 0 : 1 / scale, zero};
        const std::vector<float> weights = telling_weights(scheme, grid);
        const auto count = static_cast<int64_t>(weights.size());
        std::vector<float> expected, block(weights.size()), column(weights.size());
        for (const float w : weights) expected.push_back(code_of(scheme, grid, w));
        codes_of_block(scheme, grid, weights.data(), count, block.data());
        const std::vector<float> inverses(weights.size(), grid.inverse),
            zeros(weights.size(), grid.zero);
        codes_of_column(scheme, inverses.data(), zeros.data(), weights.data(), count,
                        column.data());
        expect_same_bits(block, expected);
        expect_same_bits(column, expected);
      }
    }
  }
}

// At scale 1: every code of a float format, every middle of two, and their neighbours; NaN stays one.
TEST(Rounding, OfFloatsIsTheDefinitionAtEveryCodeAndMiddle) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const char* name : {"e2m0", "e2m1", "e2m3", "e3m0", "e3m1", "e3m2", "e3m4", "e4m1", "e4m3",
                           "e5m0", "e5m2", "e5m10", "e7m0"}) {
    const WeightScheme scheme = parse_weight_scheme(name);
    const BlockGrid grid{1, 1, 0};
    const std::vector<float> codes = all_codes(scheme.format);
    std::vector<float> weights{0.0f, -0.0f, 3e38f, -3e38f, 1e-38f, std::nanf("")};
    for (size_t i = 0; i < codes.size(); ++i) {
      for (const float at : {codes[i], i == 0 ? codes[0] : (codes[i - 1] + codes[i]) / 2}) {
        weights.push_back(at);
        weights.push_back(std::nextafter(at, kInfinity));
        weights.push_back(std::nextafter(at, -kInfinity));
      }
    }
    std::vector<float> found(weights.size());
    codes_of_block(scheme, grid, weights.data(), static_cast<int64_t>(weights.size()),
                   found.data());
    for (size_t i = 0; i < weights.size(); ++i) {
      const float expected = code_of(scheme, grid, weights[i]);
      ASSERT_TRUE(std::isnan(expected)
                      ? std::isnan(found[i])
                      : std::bit_cast<uint32_t>(expected) == std::bit_cast<uint32_t>(found[i]))
          << name << " " << weights[i] << " " << found[i];
    }
  }
}

}  // namespace
}  // namespace bitlaw
