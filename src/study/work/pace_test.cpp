#include "work/pace.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

constexpr const char* kLog = R"({"loss_nats":6.5,"seconds":1.0,"step":10,"tokens":1000})"
                             "\n"
                             R"({"loss_nats":6.0,"seconds":2.0,"step":20,"tokens":3000})"
                             "\n";

TEST(Pace, IsThatOfTheLastSteps) {
  const TestFolder runs;
  const Job job{.run = "a", .tokens = 4000};
  EXPECT_FALSE(pace_of(job, runs.path())) << "nothing is there";
  runs.write("a/metrics.jsonl", std::string(kLog) + "{\"loss_na");
  const auto pace = pace_of(job, runs.path());
  ASSERT_TRUE(pace);
  EXPECT_EQ(pace->share, 0.75);
  EXPECT_EQ(pace->loss_nats, 6.0);
  EXPECT_EQ(pace->tokens_per_second, 2000);
}

TEST(Pace, ABranchCountsFromWhereItBegan) {
  const TestFolder runs;
  runs.write("a/metrics.jsonl", kLog);
  EXPECT_EQ(pace_of({.run = "a", .tokens = 4000, .trunk_tokens = 2000}, runs.path())->share, 0.5);
}

TEST(Pace, ALongLogIsReadFromItsEnd) {
  const TestFolder runs;
  std::string log;
  for (int i = 0; i < 1000; ++i)
    log += R"({"loss_nats":9,"seconds":0,"step":1,"tokens":0})"
           "\n";
  runs.write("a/metrics.jsonl", log + kLog);
  EXPECT_EQ(pace_of({.run = "a", .tokens = 4000}, runs.path())->loss_nats, 6.0);
}

}  // namespace
}  // namespace bitlaw
