#include "optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace bitlaw {
namespace {

ScheduleConfig schedule(const char* kind, double warmup, double decay, double final) {
  return ScheduleConfig{kind, warmup, decay, final}.resolved();
}

TEST(Schedule, KnownValues) {
  struct Case {
    ScheduleConfig config;
    int64_t step, steps;
    double share;
  };
  const Case cases[] = {
      {schedule("cosine", 0.1, 0, 0.1), 0, 100, 0.1},
      {schedule("cosine", 0.1, 0, 0.1), 4, 100, 0.5},
      {schedule("cosine", 0.1, 0, 0.1), 9, 100, 1},
      {schedule("cosine", 0.1, 0, 0.1), 10, 100, 1},
      {schedule("cosine", 0.1, 0, 0.1), 55, 100, 0.55},
      {schedule("cosine", 0.1, 0, 0.1), 40, 100, 0.1 + 0.9 * 0.75},  // p = 1/3: (1 + 1/2) / 2
      {schedule("cosine", 0, 0, 0), 0, 10, 1},
      {schedule("linear", 0.2, 0, 0), 2, 10, 1},
      {schedule("linear", 0.2, 0, 0), 6, 10, 0.5},
      {schedule("linear", 0.2, 0, 0), 9, 10, 0.125},
      {schedule("wsd", 0.1, 0.2, 0), 10, 100, 1},
      {schedule("wsd", 0.1, 0.2, 0), 80, 100, 1},
      {schedule("wsd", 0.1, 0.2, 0), 90, 100, 0.5},
      {schedule("wsd", 0.1, 0.2, 0.5), 99, 100, 1 - 0.5 * 19 / 20},
      {schedule("wsd", 0, 1, 0), 0, 4, 1},
      {schedule("cosine", 0.1, 0, 0.1), 0, 1, 1},
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(schedule_share(c.config, c.step, c.steps), c.share, 1e-15)
        << c.config.kind << " step " << c.step << " of " << c.steps;
  }
}

TEST(Schedule, TheDecayMayBeOneMinusARoot) {
  ScheduleConfig config{"wsd", 0.1, 0.2, 0.1};
  config.decay_shape = "1-sqrt";
  config = config.resolved();
  EXPECT_EQ(schedule_share(config, 79, 100), 1);
  EXPECT_EQ(schedule_share(config, 80, 100), 1);
  EXPECT_NEAR(schedule_share(config, 85, 100), 1 - 0.9 * 0.5, 1e-15);
  EXPECT_NEAR(schedule_share(config, 99, 100), 1 - 0.9 * std::sqrt(19.0 / 20), 1e-15);
}

TEST(Schedule, AWarmUpMayBeANumberOfSteps) {
  ScheduleConfig config{"wsd", 0.1, 0.2, 0.1};
  config.warmup_steps = 4;
  config = config.resolved();
  EXPECT_EQ(config.warmup, 0) << "it is not used";
  for (const int64_t steps : {20, 1000}) {
    EXPECT_EQ(warmup_steps(config, steps), 4);
    EXPECT_EQ(schedule_share(config, 1, steps), 0.5);
    EXPECT_EQ(schedule_share(config, 4, steps), 1);
  }
  EXPECT_NO_THROW(check_length(config, 5));
  EXPECT_THROW(check_length(config, 4), Error) << "one step of decay is too many";
}

TEST(Schedule, RisesToOneThenNeverRisesAndStaysAboveZero) {
  for (const char* kind : {"cosine", "wsd", "linear"}) {
    for (double warmup : {0.0, 0.05, 0.5}) {
      for (double final : {0.0, 0.1, 1.0}) {
        for (int64_t steps : {1, 2, 7, 100, 1001}) {
          const ScheduleConfig config = schedule(kind, warmup, 0.3, final);
          const int64_t peak = warmup_steps(config, steps);
          double before = 0, largest = 0;
          for (int64_t step = 0; step < steps; ++step) {
            const double share = schedule_share(config, step, steps);
            EXPECT_GT(share, 0);
            if (step < peak) {
              EXPECT_GT(share, before);
            } else if (step > peak) {
              EXPECT_LE(share, before);
            }
            largest = std::max(largest, share);
            before = share;
          }
          EXPECT_EQ(largest, 1);
          EXPECT_GE(before, final);
        }
      }
    }
  }
}

TEST(Schedule, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(schedule("cosin", 0.1, 0, 0.1), Error);
  EXPECT_THROW(schedule("cosine", 1.0, 0, 0.1), Error);
  EXPECT_THROW(schedule("cosine", -0.1, 0, 0.1), Error);
  EXPECT_THROW(schedule("cosine", 0.1, 0, 1.5), Error);
  EXPECT_THROW(schedule("wsd", 0.6, 0.5, 0), Error);
  EXPECT_THROW(schedule("linear", std::nan(""), 0, 0), Error);
  EXPECT_EQ(schedule("cosine", 0.1, 0.7, 0.1).decay, 0)
      << "what a kind does not use does not count";
}

}  // namespace
}  // namespace bitlaw
