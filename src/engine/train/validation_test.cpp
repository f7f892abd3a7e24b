#include "train/validation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "data/loader.h"
#include "train/synthetic_text.h"

namespace bitlaw {
namespace {

TEST(SummarizeLosses, OneTokenAClusterIsTheOrdinaryStandardError) {
  const std::vector<float> losses{1, 2, 3, 6};
  const std::vector<int64_t> clusters{0, 1, 2, 3};
  const Validation v = summarize_losses(losses, clusters);
  EXPECT_EQ(v.loss_nats, 3);
  EXPECT_EQ(v.tokens, 4);
  EXPECT_EQ(v.clusters, 4);
  // Deviations -2 -1 0 3: variance 14/3, over 4.
  EXPECT_DOUBLE_EQ(v.standard_error, std::sqrt(14.0 / 3 / 4));
}

TEST(SummarizeLosses, RepeatingEveryTokenInItsClusterAddsNoCertainty) {
  std::vector<float> losses, repeated;
  std::vector<int64_t> clusters, repeated_clusters;
  for (int64_t g = 0; g < 50; ++g) {
    const auto loss = static_cast<float>(random_uniform(1, 0, static_cast<uint64_t>(g)));
    losses.push_back(loss);
    clusters.push_back(g);
    for (int copy = 0; copy < 8; ++copy) {
      repeated.push_back(loss);
      repeated_clusters.push_back(g);
    }
  }
  const Validation once = summarize_losses(losses, clusters);
  const Validation often = summarize_losses(repeated, repeated_clusters);
  EXPECT_DOUBLE_EQ(once.loss_nats, often.loss_nats);
  EXPECT_DOUBLE_EQ(once.standard_error, often.standard_error);
}

TEST(SummarizeLosses, ASingleClusterHasNoStandardError) {
  const Validation v = summarize_losses(std::vector<float>{1, 2}, std::vector<int64_t>{5, 5});
  EXPECT_EQ(v.loss_nats, 1.5);
  EXPECT_TRUE(std::isnan(v.standard_error));
  EXPECT_TRUE(std::isnan(v.bits_per_byte));
}

TEST(SamplingError, IsThatOfAMeanWithoutReplacement) {
  // Windows of two tokens with means 1, 2, 3, 6: variance 14/3.
  const std::vector<float> losses{0, 2, 2, 2, 1, 5, 6, 6};
  EXPECT_EQ(sampling_error(losses, 4, 4), 0);
  EXPECT_DOUBLE_EQ(sampling_error(losses, 4, 16), std::sqrt(14.0 / 3 / 4 * 0.75));
  EXPECT_TRUE(std::isnan(sampling_error(losses, 1, 16)));
}

TEST(ValidationSet, WindowsAreASampleOfTheWholeTextRoundedUpToWhole) {
  TemporaryDirectory directory;
  write_synthetic_dataset(directory.path());
  const Dataset dataset = Dataset::open(directory.path(), kSyntheticVocabulary);
  const int64_t T = 16;
  EXPECT_EQ(make_validation_set(dataset, T, 0).windows.size(), 2999u / 16);
  const ValidationSet set = make_validation_set(dataset, T, 33);
  ASSERT_EQ(set.windows.size(), 3u);
  ASSERT_EQ(set.clusters.size(), 48u);
  EXPECT_EQ(set.available, 2999 / 16);
  const std::vector<int64_t> sample = fixed_sample(set.available, 3);
  for (int64_t w = 0; w < 3; ++w) {
    for (int64_t t = 0; t <= T; ++t) {
      EXPECT_EQ(set.windows[static_cast<size_t>(w)][static_cast<size_t>(t)],
                dataset.validation()[sample[static_cast<size_t>(w)] * T + t]);
    }
    EXPECT_EQ(set.clusters[static_cast<size_t>(w * T)], w)
        << "no documents known: a window is a cluster";
  }
}

}  // namespace
}  // namespace bitlaw
