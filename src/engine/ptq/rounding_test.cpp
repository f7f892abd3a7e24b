#include "ptq/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/matrices_for_tests.h"

namespace bitlaw {
namespace {

// Every code and midpoint of a grid with its neighbours, far beyond the ends, and zeros of both signs.
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
        const std::vector<float> scales(weights.size(), grid.scale),
            inverses(weights.size(), grid.inverse), zeros(weights.size(), grid.zero);
        codes_of_column(scheme, scales.data(), inverses.data(), zeros.data(), weights.data(), count,
                        column.data());
        expect_same_bits(block, expected);
        expect_same_bits(column, expected);
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
