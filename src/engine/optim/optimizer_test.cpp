#include "optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace bitlaw {
namespace {

TEST(LearningRate, IsTheBaseRateAtTheReferenceShapeAndFollowsThePowers) {
  OptimizerConfig config;
  config.width_power = 1;
  config.depth_power = 0.5;
  config.batch_power = 0.25;
  EXPECT_EQ(scaled_learning_rate(0.015, {64, 2, 1}, config), 0.015);
  EXPECT_DOUBLE_EQ(scaled_learning_rate(0.015, {128, 2, 1}, config), 0.0075);
  EXPECT_DOUBLE_EQ(scaled_learning_rate(0.015, {64, 8, 1}, config), 0.0075);
  EXPECT_DOUBLE_EQ(scaled_learning_rate(0.015, {32, 2, 1}, config), 0.03);
  EXPECT_DOUBLE_EQ(scaled_learning_rate(0.015, {64, 2, 1.0 / 16}, config), 0.0075);
  EXPECT_DOUBLE_EQ(scaled_learning_rate(0.015, {64, 2, 4}, config), 0.015 * std::sqrt(2));
  EXPECT_DOUBLE_EQ(scaled_learning_rate(0.015, {64, 2, 1e6}, config), 0.03) << "at most twice";
  config.width_power = config.depth_power = config.batch_power = 0;
  EXPECT_EQ(scaled_learning_rate(0.015, {512, 8, 4}, config), 0.015);
}

TEST(Clipping, BringsTheNormToTheLimitAndLeavesSmallerOnesAlone) {
  EXPECT_EQ(clip_factor(0.5, 1), 1);
  EXPECT_EQ(clip_factor(1, 1), 1);
  EXPECT_EQ(clip_factor(4, 1), 0.25);
  EXPECT_EQ(clip_factor(4, 0), 1);
}

TEST(OptimizerConfig, RefusesValuesOutOfRange) {
  EXPECT_NO_THROW(OptimizerConfig{}.check());
  const auto broken = [](auto change) {
    OptimizerConfig config;
    change(config);
    EXPECT_THROW(config.check(), Error);
  };
  broken([](OptimizerConfig& c) { c.beta1 = 1; });
  broken([](OptimizerConfig& c) { c.beta2 = -0.1; });
  broken([](OptimizerConfig& c) { c.epsilon = 0; });
  broken([](OptimizerConfig& c) { c.weight_decay = -1; });
  broken([](OptimizerConfig& c) { c.clip = std::numeric_limits<double>::infinity(); });
  broken([](OptimizerConfig& c) { c.width_power = std::nan(""); });
  broken([](OptimizerConfig& c) { c.batch_power = std::nan(""); });
  broken([](OptimizerConfig& c) { c.batch_power = -0.5; });
  broken([](OptimizerConfig& c) { c.batch_power = 1e9; });
}

}  // namespace
}  // namespace bitlaw
