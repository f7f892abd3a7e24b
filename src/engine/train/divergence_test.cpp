#include "train/divergence.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr int64_t kVocabulary = 1000;  // ln V = 6.91
constexpr int64_t kBatch = 8192;       // tokens: a window of 10 steps

TEST(Divergence, NonFiniteNumbersAtOnce) {
  DivergenceDetector detector(kVocabulary, 10, kBatch);
  EXPECT_FALSE(detector.diverged(7, 1));
  EXPECT_TRUE(DivergenceDetector(detector).diverged(std::nan(""), 1));
  EXPECT_TRUE(DivergenceDetector(detector).diverged(7, std::numeric_limits<double>::infinity()));
}

TEST(Divergence, AHealthyRunWithNoiseDoesNot) {
  DivergenceDetector detector(kVocabulary, 10, kBatch);
  for (int step = 0; step < 500; ++step) {
    const double loss = 3 + 4 * std::exp(-step / 50.0) + 0.2 * std::sin(step * 1.7);
    ASSERT_FALSE(detector.diverged(loss, 1)) << step;
  }
  EXPECT_FALSE(detector.diverged_at_end());
}

// One sequence of 64 tokens a step, whose losses deviate by .7 nats: the lowest of thousands of means
// over ten of them lies well below what the run has.
TEST(Divergence, ShortSequencesDoNotMakeAHealthyRunDiverge) {
  int diverged = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    DivergenceDetector detector(kVocabulary, 10, 64);
    for (uint64_t step = 0; step < 2344; ++step) {
      double noise = 0;  // of 12 uniform numbers: nearly normal, deviation 1
      for (uint64_t k = 0; k < 12; ++k) noise += random_uniform(seed, step, k) - 0.5;
      const double loss = 3.4 + 2 * std::exp(-static_cast<double>(step) / 300.0) + 0.7 * noise;
      ASSERT_FALSE(detector.diverged(loss, 1)) << seed << ", step " << step;
    }
    diverged += detector.diverged_at_end();
  }
  EXPECT_EQ(diverged, 0);
}

TEST(Divergence, ShortSequencesDoNotHideARunThatBreaks) {
  DivergenceDetector detector(kVocabulary, 10, 64);
  for (int step = 0; step < 1500; ++step) detector.diverged(3.5, 1);
  for (int step = 0; step < 500; ++step) detector.diverged(5, 1);
  EXPECT_TRUE(detector.diverged_at_end());
}

TEST(Divergence, AboveUniformOnlyAfterTheWarmUp) {
  DivergenceDetector detector(kVocabulary, 10, kBatch);
  for (int step = 0; step < 10; ++step) EXPECT_FALSE(detector.diverged(8, 1)) << "in the warm-up";
  EXPECT_TRUE(detector.diverged(8, 1));
  EXPECT_TRUE(DivergenceDetector(kVocabulary, 10, kBatch).diverged(21, 1))
      << "three times ln V in the warm-up";
}

TEST(Divergence, ASpikeIsForgivenIfItRecoversAndNotIfItStays) {
  DivergenceDetector detector(kVocabulary, 10, kBatch);
  for (int step = 0; step < 100; ++step) detector.diverged(4, 1);
  for (int step = 0; step < 20; ++step) EXPECT_FALSE(detector.diverged(5.5, 1));
  EXPECT_TRUE(detector.diverged_at_end());
  for (int step = 0; step < 50; ++step) detector.diverged(3.9, 1);
  EXPECT_FALSE(detector.diverged_at_end());
}

TEST(Divergence, RestoresToTheLastBit) {
  DivergenceDetector whole(kVocabulary, 10, kBatch), half(kVocabulary, 10, kBatch);
  const auto loss = [](int step) { return 5 + std::sin(step * 0.37); };
  for (int step = 0; step < 7; ++step) half.diverged(loss(step), 1);
  DivergenceDetector resumed(kVocabulary, 10, kBatch);
  resumed.restore(parse_json(dump_json(half.state()), "state"));
  for (int step = 0; step < 30; ++step) {
    whole.diverged(loss(step), 1);
    if (step >= 7) resumed.diverged(loss(step), 1);
  }
  EXPECT_EQ(dump_json(whole.state()), dump_json(resumed.state()));
}

}  // namespace
}  // namespace bitlaw
