#include "train/batch.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

TEST(DefaultBatch, GrowsWithTokensAsTheirPowerOfThreeFifths) {
  EXPECT_EQ(default_batch_sequences(2'000'000, 128), 8);
  EXPECT_EQ(default_batch_sequences(54'000'000, 128), 56);
  const auto large = static_cast<double>(default_batch_sequences(200'000'000'000, 128));
  const auto larger = static_cast<double>(default_batch_sequences(2'000'000'000'000, 128));
  EXPECT_NEAR(std::log10(larger / large), 0.6, 1e-3);
}

TEST(DefaultBatch, LeavesEnoughStepsAndOneSequence) {
  for (const int64_t T : {32, 128, 512, 2048}) {
    for (const int64_t D : {200'000, 1'000'000, 2'000'000, 18'000'000, 1'000'000'000}) {
      const int64_t sequences = default_batch_sequences(D, T);
      if (sequences == 1) continue;
      EXPECT_GE(D / (sequences * T), kFewestSteps) << D << " tokens, T " << T;
      EXPECT_TRUE(sequences < 4 || sequences % 4 == 0) << sequences;
    }
  }
  EXPECT_EQ(default_batch_sequences(1000, 2048), 1);
}

TEST(DefaultBatch, IsWhatARunWithoutOneGets) {
  TrainConfig config;
  config.model.vocabulary = 256;
  config.model.sequence = 128;
  config.train.tokens = 2'000'000;
  DatasetInfo data;
  data.vocabulary = 256;
  data.train.tokens = data.validation.tokens = 10'000;
  const ResolvedConfig by_rule = resolve(config, data);
  EXPECT_EQ(by_rule.config.train.batch_tokens, 8 * 128);
  EXPECT_EQ(few_steps_note(by_rule), "");
  config.train.batch_tokens = 8 * 128;
  EXPECT_EQ(resolve(config, data).name(), by_rule.name())
      << "the same run, however it is asked for";
  config.train.batch_tokens = 4096;
  EXPECT_EQ(
      few_steps_note(resolve(config, data)),
      "488 steps: with fewer than 1000, the loss depends on the learning rate and the batch "
      "as much as on the tokens; use a smaller train.batch_tokens (0: chosen from train.tokens)");
  config.train.batch_tokens = 0;
  config.train.tokens = 20'000;
  const std::string one_sequence = few_steps_note(resolve(config, data));
  EXPECT_TRUE(one_sequence.ends_with("use more train.tokens or a shorter model.sequence"))
      << one_sequence;
}

}  // namespace
}  // namespace bitlaw
