#include "watch/watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/test_folder.h"
#include "record/record_for_tests.h"
#include "record/result.h"
#include "watch/rows_for_tests.h"

namespace bitlaw {
namespace {

class WatchTest : public testing::Test {
 protected:
  void finish_run(const TidyRow& row) {
    RunRecord record = trained_run_record(
        *row.D, row.P_w == 16 ? "16" : std::to_string(static_cast<int>(row.P_w)));
    record.config["model"]["width"] = *row.N / 1000;
    record.model.parameters = *row.N;
    record.name = name_of_configuration(record.config);
    write_run_record(folder_ / record.name, record);
    write_result(folder_ / record.name,
                 {.validation = Validation{row.loss, 0.01, kNoNumber, 100, 5},
                  .training = TrainingResult{.tokens = *row.D, .seconds = 2.5}});
  }
  static void wait_for_line(Watch& watch) {
    for (int i = 0; i < 3000 && watch.line().empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  const std::vector<TidyRow> rows_ = rows_of_a_study();
  TestFolder folder_;
};

TEST_F(WatchTest, FollowsTheResults) {
  for (size_t i = 0; i + 1 < rows_.size(); ++i) finish_run(rows_[i]);
  Watch watch({});
  watch.begin({}, folder_.path(), folder_.path());
  wait_for_line(watch);
  ASSERT_TRUE(watch.law().has_value());
  EXPECT_EQ(watch.law()->runs, std::ssize(rows_) - 1);
  EXPECT_TRUE(std::isnan(watch.law()->constants[0].change));
  EXPECT_TRUE(watch.first().empty()) << "no order was asked for";
  finish_run(rows_.back());
  watch.ended(1);
  watch.finish();
  // A look that takes long is not waited for.
  if (watch.law()->runs == std::ssize(rows_)) {
    EXPECT_FALSE(std::isnan(watch.law()->constants[0].change));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "index.sqlite")) << "it only looks";
}

TEST_F(WatchTest, EndsAtAnyMoment) {
  finish_run(rows_[0]);
  for (int i = 0; i < 20; ++i) {
    Watch watch({.order = true});
    watch.begin({}, folder_.path(), folder_.path());
    if (i % 2 == 0) watch.finish();
    EXPECT_EQ(watch.line(), "");
  }
  Watch never({});
  never.finish();
}

// What it cannot read is no matter of the jobs.
TEST_F(WatchTest, IsSilentAboutWhatGoesWrong) {
  Watch watch({.order = true});
  watch.begin({}, folder_ / "absent", folder_.path());
  watch.ended(3);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  watch.finish();
  EXPECT_EQ(watch.line(), "");
}

}  // namespace
}  // namespace bitlaw
