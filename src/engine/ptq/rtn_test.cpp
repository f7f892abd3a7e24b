#include "ptq/rtn.h"

#include <gtest/gtest.h>

#include "ptq/matrices_for_tests.h"

namespace bitlaw {
namespace {

TEST(Rtn, IsTheDefinitionBitForBit) {
  ThreadPool pool(2);
  for (const MatrixCase& c : kMatrixCases) {
    std::vector<float> weights = random_weights(c.rows, c.columns, 11);
    weights[0] = -0.0f;
    if (c.rows > 1) std::fill_n(weights.begin() + c.columns, c.columns, 0.0f);  // a row of zeros
    for (const WeightScheme& scheme : weight_schemes(c.group)) {
      const QuantizedMatrix rtn = quantize_rtn(scheme, weights.data(), c.rows, c.columns, pool);
      const WeightReference reference =
          quantize_reference(scheme, weights.data(), c.rows, c.columns);
      EXPECT_EQ(rtn.tensor_scale, reference.tensor_scale);
      expect_same_bits(rtn.codes, reference.codes);
      expect_same_bits(rtn.effective(pool), reference.values);
      for (int64_t r = 0; r < c.rows; ++r) {
        for (int64_t k = 0; k < c.columns; ++k) {
          const auto at = static_cast<size_t>(r * c.columns + k);
          const auto block = static_cast<size_t>(rtn.block_of(r, k));
          ASSERT_EQ(rtn.value(r, k), reference.values[at]);
          ASSERT_EQ(rtn.scales[block], reference.scales[at]);
          ASSERT_EQ(scheme.asymmetric ? rtn.zeros[block] : 0, reference.zeros[at]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
