#include "train/speed.h"

#include <gtest/gtest.h>

#include <chrono>

namespace bitlaw {
namespace {

TEST(Speed, IsThatOfWholeStepsAndTakesTheTimeAskedFor) {
  TrainConfig config;
  config.model.width = 32;
  config.model.heads = 2;
  config.model.sequence = 32;
  config.model.vocabulary = 61;
  config.train.batch_tokens = 64;
  DatasetInfo data;
  data.hash = "0123456789abcdef";
  data.train.tokens = data.validation.tokens = 10'000;
  const ResolvedConfig resolved = resolve(config, data);

  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const double tokens_per_second = measure_speed(resolved, 1, 0.05);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  EXPECT_GE(seconds, 0.05);
  // At least two steps ran in that time, and one before it.
  EXPECT_GT(tokens_per_second, 2 * 64 / seconds);
}

}  // namespace
}  // namespace bitlaw
