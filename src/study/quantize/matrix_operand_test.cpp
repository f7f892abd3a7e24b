#include "quantize/matrix_operand.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "ptq/matrices_for_tests.h"
#include "ptq/rotation.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

TEST(MatrixOperand, HoldsTheSameValues) {
  ThreadPool pool(1);
  const int64_t rows = 5, columns = 70;
  const std::vector<float> weights = random_weights(rows, columns, 19);
  for (const int group : {0, 32}) {
    for (const WeightScheme& scheme : weight_schemes(group)) {
      const QuantizedMatrix rtn = quantize_rtn(scheme, weights.data(), rows, columns, pool);
      const Operand operand = operand_of(rtn, pool);
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

TEST(MatrixOperand, OfScaledColumnsHoldsTheEffectiveValues) {
  ThreadPool pool(2);
  const int64_t rows = 5, columns = 24;
  const std::vector<float> weights = random_weights(rows, columns, 20);
  QuantizedMatrix scaled =
      quantize_rtn(parse_weight_scheme("int4"), weights.data(), rows, columns, pool);
  scaled.column_scale.assign(static_cast<size_t>(columns), 1.5f);
  EXPECT_FALSE(scaled.plain());
  const Operand operand = operand_of(scaled, pool);
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

// The operand of rotated inputs: codes where the matrix was rounded in the same basis; elsewhere
// the effective matrix, rotated in FP32 and rounded to 16 bits.
TEST(MatrixOperand, IsInTheBasisOfTheInputs) {
  ThreadPool pool(2);
  const int64_t rows = 5, columns = 48, basis = 16;
  const std::vector<float> w = random_weights(rows, columns, 45);
  QuantizedMatrix quantized =
      quantize_rtn(parse_weight_scheme("int4"), w.data(), rows, columns, pool);
  for (const int64_t own : {1, 8, 16}) {
    quantized.rotation = own;
    std::vector<float> expected = quantized.effective(pool);
    rotate_rows(expected.data(), rows, columns, basis, expected.data());
    const Operand operand = operand_of(quantized, pool, basis);
    ASSERT_EQ(operand.codes.dtype(), own == basis ? DType::kBF16 : DType::kF32);
    for (int64_t i = 0; i < rows * columns; ++i) {
      const double value = operand.codes.at(i) * operand.scales.at(i / columns);
      const double wanted = expected[static_cast<size_t>(i)];
      // Of the same basis: W R R R^T, two rotations of 16 entries of at most 8 codes.
      const double bound = own == basis ? 16 * 8 * operand.scales.at(i / columns) * 0x1p-23
                                        : std::fabs(wanted) * 0x1p-16;
      ASSERT_NEAR(value, wanted, bound) << own;
    }
  }
}

}  // namespace
}  // namespace bitlaw
