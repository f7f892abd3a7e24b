#include "sweep/look.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_struct.h"
#include "record/result.h"
#include "record/run.h"
#include "sweep/study_for_tests.h"
#include "work/claim.h"
#include "work/failure.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Look : public testing::Test {
 protected:
  std::vector<CellState> states() const {
    return cell_states(plan_, jobs_, outcomes_so_far(jobs_, plan_.directory));
  }
  void diverge(size_t run) const {
    write_result(plan_.directory / plan_.runs[run].name, {.status = RunStatus::kDiverged});
  }

  const StudyFolder tiny_{kTwoRuns};
  const SweepPlan plan_ = plan_sweep(tiny_.study(), tiny_.runs());
  const std::vector<Job> jobs_ = make_jobs(plan_);
};

TEST_F(Look, ACellIsWhatItsRecordItsClaimAndItsFailureSay) {
  EXPECT_EQ(states()[0].status, "waiting");
  diverge(1);
  EXPECT_EQ(states()[1].status, "diverged");
  {
    std::optional<Claim> claim = Claims(plan_.directory / "claims", 60).take(job_key(jobs_[0]));
    ASSERT_TRUE(claim);
    EXPECT_EQ(states()[0].status, "running");
    EXPECT_NE(states()[0].detail.find("process "), std::string::npos) << states()[0].detail;
    claim->release();
  }
  write_failure(jobs_[0], plan_.directory, {.job = jobs_[0].name, .exit_code = 3, .message = "oh"});
  EXPECT_EQ(states()[0].status, "failed");
  EXPECT_EQ(states()[0].detail, "oh");
}

TEST_F(Look, AQuantizationThatFailedIsSaidOfItsCell) {
  ASSERT_EQ(jobs_[1].kind, JobKind::kQuantize);
  write_failure(jobs_[1], plan_.directory, {.job = jobs_[1].name, .exit_code = 1, .message = "oh"});
  EXPECT_NE(states()[0].detail.find("quantization failed oh"), std::string::npos)
      << states()[0].detail;
}

TEST_F(Look, WhySaysWhatFailedAndWhatDiffers) {
  write_failure(jobs_[0], plan_.directory,
                {.job = jobs_[0].name, .exit_code = 3, .message = "oh", .host = "node7"});
  make_directories(plan_.directory / "logs");
  write_file_atomically(job_log(jobs_[0], plan_.directory), "one\ntwo\n");
  const Why answer = why(plan_, plan_.runs[0].name.substr(0, 8), "bitlaw");
  EXPECT_EQ(answer.run, plan_.runs[0].name);
  EXPECT_EQ(answer.status, "failed");
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_EQ(answer.message, "oh");
  EXPECT_NE(answer.when.find("node7"), std::string::npos);
  EXPECT_EQ(answer.log_lines, (std::vector<std::string>{"one", "two"}));
  EXPECT_NE(answer.command.find("bitlaw train "), std::string::npos);
  EXPECT_EQ(why(plan_, plan_.runs[0].cell.label, "bitlaw").run, answer.run) << "by its label";
}

TEST_F(Look, WhyWantsOneCell) {
  for (const char* cell : {"nothing", "train.tokens=25600"}) {
    try {
      why(plan_, cell, "bitlaw");
      ADD_FAILURE() << cell;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find(cell), 0u) << error.what();
    }
  }
}

TEST_F(Look, WhatNoCellNeedsIsSuperfluous) {
  EXPECT_TRUE(superfluous(plan_).empty());
  diverge(0);
  write_job_files(jobs_, plan_.directory);
  tiny_.folder().write("runs/other/run.json", "{}");
  tiny_.folder().write("runs/cells/other.json", "{}");
  tiny_.folder().write("runs/logs/other-quantize.log", "");
  tiny_.folder().write("runs/logs/" + plan_.runs[0].name + "-quantize.log", "");
  tiny_.folder().write("runs/trunks/old/step-4/state.bin", "");
  tiny_.folder().write("runs/notes.txt", "mine");
  std::vector<std::string> places;
  for (const fs::path& place : superfluous(plan_))
    places.push_back(fs::relative(place, plan_.directory).string());
  EXPECT_EQ(places, (std::vector<std::string>{"cells/other.json", "logs/other-quantize.log",
                                              "other", "trunks/old"}));
}

}  // namespace
}  // namespace bitlaw
