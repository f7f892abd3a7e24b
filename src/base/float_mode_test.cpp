#include "base/float_mode.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/parallel.h"

namespace bitlaw {
namespace {

float smallest_normal_halved() {
  volatile float smallest = 0x1p-126f;
  volatile float half = smallest * 0.5f;
  return half;
}

TEST(FlushSubnormals, HoldsForThisThreadAndForThreadsStartedMeanwhile) {
  ASSERT_EQ(smallest_normal_halved(), 0x1p-127f);
  {
    FlushSubnormals flush;
    EXPECT_EQ(smallest_normal_halved(), 0.0f);
    ThreadPool pool(3);
    std::atomic<int> nonzero = 0, reached = 0;
    pool.parallel_for(3, [&](int64_t, int) {
      if (smallest_normal_halved() != 0.0f) ++nonzero;
      ++reached;
      while (reached < 3) std::this_thread::yield();  // one task a thread
    });
    EXPECT_EQ(nonzero, 0);
  }
  EXPECT_EQ(smallest_normal_halved(), 0x1p-127f);
}

}  // namespace
}  // namespace bitlaw
