#include "tensor/profile.h"

#include <gtest/gtest.h>

#include <string>

namespace bitlaw {
namespace {

TEST(Profile, AddsUpCallsOfAnOp) {
  Profile profile;
  const std::string same = "product";  // another address, the same text
  { const Timed timed(&profile, "product", 100, 10); }
  { const Timed timed(&profile, same.c_str(), 50, 5); }
  { const Timed timed(&profile, "norm", 0, 7); }
  ASSERT_EQ(profile.entries().size(), 2u);
  EXPECT_EQ(profile.at("product").calls, 2);
  EXPECT_EQ(profile.at("product").flops, 150);
  EXPECT_EQ(profile.at("product").bytes, 15);
  EXPECT_EQ(profile.at("norm").calls, 1);
  EXPECT_GE(profile.at("product").seconds, 0);
  profile.clear();
  EXPECT_TRUE(profile.entries().empty());
}

// Work on this thread is counted, sleeping is not.
TEST(Profile, CountsProcessorTime) {
  Profile profile;
  volatile double sum = 0;
  {
    const Timed timed(&profile, "work", 0, 0);
    for (int i = 0; i < 2000000; ++i) sum = sum + 1.0 / (i + 1);
  }
  EXPECT_GT(profile.at("work").seconds, 1e-4);
}

TEST(Profile, NobodyNeedsOne) {
  const Timed timed(nullptr, "work", 1, 1);
  EXPECT_EQ(bytes_of(Tensor(), Tensor::zeros(DType::kF32, {3}), Tensor::zeros(DType::kBF16, {5})),
            22);
}

}  // namespace
}  // namespace bitlaw
