#include "base/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"

namespace bitlaw {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, EveryIndexRunsExactlyOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.threads(), GetParam());
  for (const int64_t count : {0, 1, 2, 3, 7, 1000}) {  // the pool is used again and again
    std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
    std::atomic<int> bad_workers{0};
    pool.parallel_for(count, [&](int64_t index, int worker) {
      ++runs[static_cast<size_t>(index)];
      if (worker < 0 || worker >= pool.threads()) ++bad_workers;
    });
    for (const auto& run : runs) EXPECT_EQ(run, 1);
    EXPECT_EQ(bad_workers, 0);
  }
}

TEST_P(ThreadPoolTest, AWorkerRunsOneTaskAtATime) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> inside(static_cast<size_t>(pool.threads()));
  std::atomic<int> overlaps{0};
  pool.parallel_for(2000, [&](int64_t, int worker) {
    auto& mine = inside[static_cast<size_t>(worker)];
    if (mine.fetch_add(1) != 0) ++overlaps;
    mine.fetch_sub(1);
  });
  EXPECT_EQ(overlaps, 0);
}

TEST_P(ThreadPoolTest, AnExceptionReachesTheCallerAndThePoolGoesOn) {
  ThreadPool pool(GetParam());
  for (int round = 0; round < 20; ++round) {
    std::string caught;
    try {
      pool.parallel_for(50, [&](int64_t index, int) {
        if (index == 17) throw std::runtime_error("seventeen");
      });
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    EXPECT_EQ(caught, "seventeen");
    std::atomic<int64_t> sum{0};
    pool.parallel_for(50, [&](int64_t index, int) { sum += index; });
    EXPECT_EQ(sum, 49 * 50 / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 8));

// Exit status 3 where too many threads are an Error that says so, in a process that may map no more
// than 1 GiB, which is not enough for that many stacks.
[[noreturn]] void start_too_many_threads() {
  rlimit limit;
  limit.rlim_cur = limit.rlim_max = 1 << 30;
  setrlimit(RLIMIT_AS, &limit);
  try {
    const ThreadPool pool(10000);
  } catch (const Error& error) {
    _exit(std::string(error.what()).find("cannot start 10000 threads") == 0 ? 3 : 4);
  }
  _exit(5);
}

TEST(ThreadPoolDeathTest, MoreThreadsThanTheMachineStartsAreAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer maps more than that by itself";
#endif
  EXPECT_EXIT(start_too_many_threads(), testing::ExitedWithCode(3), "");
}

TEST(HardwareThreads, AtLeastOne) {
  EXPECT_GE(hardware_threads(), 1);
}

}  // namespace
}  // namespace bitlaw
