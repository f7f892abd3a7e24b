#include "plan/cost.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

TEST(CostModel, LinearOrTheNextWiderStep) {
  EXPECT_DOUBLE_EQ(CostModel{}.of(4.0), 0.25);
  EXPECT_DOUBLE_EQ(CostModel{}.of(Bits{4, 8, 12}), 0.5);
  const CostModel table{{{4, 4}, {8, 2}, {16, 1}}};
  EXPECT_DOUBLE_EQ(table.of(4.0), 0.25);
  EXPECT_DOUBLE_EQ(table.of(5.0), 0.5);
  EXPECT_DOUBLE_EQ(table.of(16.0), 1);
  EXPECT_TRUE(std::isinf(table.of(17.0)));
}

TEST(CostModel, ADeviceRunsAtTheWiderOperand) {
  CostModel device{{{4, 4}, {8, 2}, {16, 1}}};
  device.wider_operand = true;
  EXPECT_DOUBLE_EQ(device.of(Bits{4, 16, 16}), 1);  // weight-only: no faster
  EXPECT_DOUBLE_EQ(device.of(Bits{4, 8, 16}), 0.5);
  EXPECT_DOUBLE_EQ(device.of(Bits{4, 4, 16}), 0.25);  // attention is not in 6 N D
}

TEST(CostModel, AClassThatSaysNothingOfKvIsPaidForWeightsAndActivations) {
  const PrecisionChoice w4a4 = choice_of(named_precision("W4A4").value());
  const PrecisionChoice w4a4kv4 = choice_of(named_precision("W4A4KV8").value());
  EXPECT_DOUBLE_EQ(CostModel{}.of(Precision{w4a4.bits, &w4a4}), 0.25);
  EXPECT_DOUBLE_EQ(CostModel{}.of(Precision{w4a4kv4.bits, &w4a4kv4}), 1.0 / 3);
  EXPECT_DOUBLE_EQ(CostModel{}.of_serving(Precision{w4a4.bits, &w4a4}, 2), 3.0 / 16);
}

TEST(CostModel, TheBackwardPassIsTwoThirds) {
  PrecisionChoice format;
  format.bits = Bits::all(4), format.own_gradients = true;
  EXPECT_DOUBLE_EQ(CostModel{}.of(Precision{format.bits, &format}), (0.25 + 2) / 3);
  format.gradient_bits = Bits::all(4);
  EXPECT_DOUBLE_EQ(CostModel{}.of(Precision{format.bits, &format}), 0.25);
}

}  // namespace
}  // namespace bitlaw
