#include "plan/limits.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

Limits everything() {
  Limits limits;
  limits.compute.push_back({"compute", 1e21, 1e21, {}});
  CostModel device{{{4, 4}, {8, 2}, {16, 1}}};
  device.wider_operand = true;
  limits.compute.push_back({"gpu_hours", 500, 9e20, device});
  limits.serving.tokens = 1e10;
  limits.serving.memory_bytes = 2e9;
  limits.serving.context = 8192;
  limits.serving.batch = 4;
  return limits;
}

// The most of everything uses one budget in full, and none more.
TEST(Limits, TheMostIsAllThatThereIs) {
  for (const Limits& limits : {everything()}) {
    for (const double bits : {4.0, 8.0, 16.0}) {
      for (const double post : {0.0, 3.0}) {
        const Precision precision{Bits::all(bits)};
        for (const double tokens : {1e9, 1e12}) {
          const double params = limits.most_params(tokens, precision, post);
          double fullest = 0;
          for (const Use& use : limits.uses(params, tokens, precision, post)) {
            fullest = std::max(fullest, use.used / use.amount);
          }
          EXPECT_NEAR(fullest, 1, 1e-12);
        }
        const double tokens = limits.most_tokens(1e8, precision, post);
        const std::vector<Use> uses = limits.uses(1e8, tokens, precision, post);
        EXPECT_NEAR(std::max(uses[0].used / uses[0].amount, uses[1].used / uses[1].amount), 1,
                    1e-12);
      }
    }
  }
}

TEST(Limits, MemoryHoldsWeightsAndKeys) {
  Limits limits;
  limits.serving.memory_bytes = 1e9;
  EXPECT_DOUBLE_EQ(limits.most_params(1e12, {Bits::all(8)}, 0), 1e9);
  EXPECT_DOUBLE_EQ(limits.most_params(1e12, {Bits::all(8)}, 4), 2e9);  // quantized afterwards
  limits.serving.context = 1000, limits.serving.kv_entries = 32 * 1024;
  const double cache = 2.0 * 32 * 1024 * 1000;  // one byte each
  EXPECT_DOUBLE_EQ(limits.most_params(1e12, {Bits::all(8)}, 0), 1e9 - cache);
  limits.serving.memory_bytes = cache / 2;
  EXPECT_LT(limits.most_params(1e12, {Bits::all(8)}, 0), 0);
}

// Llama-3 8B: 32 layers of width 4096, 6.98e9 parameters without embeddings; 70B: 80 of 8192,
// 68.5e9. The estimate needs only to be of the right size.
TEST(Limits, TheEstimatedShapeIsThatOfKnownModels) {
  Limits limits;
  limits.serving.context = 1;
  const Precision bytes{Bits::all(8)};
  EXPECT_NEAR(limits.kv_bytes(6.98e9, bytes) / (2.0 * 32 * 4096), 1, 0.1);
  EXPECT_NEAR(limits.kv_bytes(68.5e9, bytes) / (2.0 * 80 * 8192), 1, 0.1);
  limits.serving.kv_share = 0.25;
  EXPECT_NEAR(limits.kv_bytes(6.98e9, bytes) / (2.0 * 32 * 1024), 1, 0.1);
}

}  // namespace
}  // namespace bitlaw
