#include "ptq/rtn.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

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

TEST(QuantizedMatrix, OperandHoldsTheSameValues) {
  ThreadPool pool(1);
  const int64_t rows = 5, columns = 70;
  const std::vector<float> weights = random_weights(rows, columns, 19);
  for (const int group : {0, 32}) {
    for (const WeightScheme& scheme : weight_schemes(group)) {
      const QuantizedMatrix rtn = quantize_rtn(scheme, weights.data(), rows, columns, pool);
      const Operand operand = rtn.operand(pool);
      ASSERT_EQ(operand.codes.dtype(), scheme.codes_fit_bf16() ? DType::kBF16 : DType::kF32);
      ASSERT_EQ(operand.group, group);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          const auto code = static_cast<float>(operand.codes.at(r * columns + c));
          EXPECT_EQ(code * operand.scales.f32()[rtn.block_of(r, c)], rtn.value(r, c));
        }
      }
    }
  }
}

TEST(QuantizedMatrix, OperandOfScaledColumnsHoldsTheEffectiveValues) {
  ThreadPool pool(2);
  const int64_t rows = 5, columns = 24;
  const std::vector<float> weights = random_weights(rows, columns, 20);
  QuantizedMatrix scaled =
      quantize_rtn(parse_weight_scheme("int4"), weights.data(), rows, columns, pool);
  scaled.column_scale.assign(static_cast<size_t>(columns), 1.5f);
  EXPECT_FALSE(scaled.plain());
  const Operand operand = scaled.operand(pool);
  ASSERT_EQ(operand.codes.dtype(), DType::kF32);
  for (int64_t r = 0; r < rows; ++r) {
    EXPECT_EQ(operand.scales.f32()[r], 1);
    for (int64_t c = 0; c < columns; ++c) {
      const float exact = scaled.value(r, c) / 1.5f, kept = operand.codes.f32()[r * columns + c];
      EXPECT_LE(std::fabs(kept - exact), 0x1p-16f * std::fabs(exact));
      EXPECT_EQ(std::bit_cast<uint32_t>(kept) & 0xffu, 0u);
    }
  }
}

}  // namespace
}  // namespace bitlaw
