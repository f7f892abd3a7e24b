#include "runs/ended_runs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class EndedRunsTest : public testing::Test {
 protected:
  EndedRunsTest() : runs_(fs::path(testing::TempDir()) / ("ended" + std::to_string(::getpid()))) {
    fs::remove_all(runs_);
    make_directories(runs_);
  }
  ~EndedRunsTest() override { fs::remove_all(runs_); }

  void add(const std::string& name, bool ended) {
    write_run_record(runs_ / name, trained_run_record(1000, "16"));
    if (!ended) return;
    ResultRecord result;
    result.validation = Validation{3.25, 0.01, kNoNumber, 100, 5};
    result.training = TrainingResult{.tokens = 1000, .seconds = 2.5};
    write_result(runs_ / name, result);
  }
  EndedRuns ended() const { return ended_runs(runs_.string(), RunIndex(runs_, Along::kInclude)); }
  std::string refusal() const {
    try {
      ended();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const fs::path runs_;
};

TEST_F(EndedRunsTest, AreThoseWithAResult) {
  add("a", true);
  add("b", false);
  const EndedRuns runs = ended();
  ASSERT_EQ(runs.rows.size(), 1u);
  EXPECT_EQ(runs.rows[0].run, "a");
  EXPECT_EQ(runs.hash, hash_hex(tidy_to_csv(RunIndex(runs_).select({}))));  // of both
}

TEST_F(EndedRunsTest, WithoutAnyTheSentenceSaysWhy) {
  EXPECT_NE(refusal().find("is a directory without runs"), std::string::npos) << refusal();
  add("b", false);
  EXPECT_NE(refusal().find("no run has ended"), std::string::npos) << refusal();
  write_file_atomically(runs_ / "b" / "run.json", "{");
  EXPECT_NE(refusal().find("has no undamaged run"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace bitlaw
