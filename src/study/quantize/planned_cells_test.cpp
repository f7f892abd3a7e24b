#include "quantize/planned_cells.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/test_folder.h"
#include "record/result.h"

namespace bitlaw {
namespace {

using Paths = std::vector<std::string>;

TEST(RunsAmong, ADirectoryOfRunsStandsForItsRuns) {
  const TestFolder folder;
  folder.write("demo/b/run.json", "{}");
  folder.write("demo/a/run.json", "{}");
  folder.write("demo/cells/a.json", "{}");
  folder.write("demo/effort.json", "[]");
  folder.write("model/config.json", "{}");
  const auto at = [&](const char* name) { return (folder / name).string(); };
  const Paths both{at("demo/a"), at("demo/b")};
  EXPECT_EQ(runs_among({at("demo")}), both);
  EXPECT_EQ(runs_among({at("demo/a"), at("model")}), (Paths{at("demo/a"), at("model")}));
  // As a shell expands demo/*: what a sweep keeps beside its runs is no run.
  EXPECT_EQ(runs_among({at("demo/a"), at("demo/b"), at("demo/cells"), at("demo/effort.json")}),
            both);
  EXPECT_EQ(runs_among({at("demo/a/"), at("demo/cells/")}), (Paths{at("demo/a/")}));
}

TEST(RunsAmong, RefusesWhatIsNoRun) {
  const TestFolder folder;
  folder.write("demo/a/run.json", "{}");
  folder.write("demo/cells/a.json", "{}");
  folder.write("other/file", "");
  const std::string run = (folder / "demo/a").string();
  EXPECT_THROW(runs_among({run, (folder / "other").string()}), Error);
  EXPECT_THROW(runs_among({run, (folder / "nowhere").string()}), Error);
  EXPECT_THROW(runs_among({(folder / "demo/cells").string()}), Error);
  EXPECT_THROW(runs_among({(folder / "demo/cells").string(), (folder / "demo/cells").string()}),
               Error);
}

TEST(FinishedAmong, LeavesOutWhatHasNoModel) {
  const TestFolder folder;
  const auto at = [&](const std::string& name) { return (folder / name).string(); };
  for (const char* run : {"a", "b", "c"}) folder.write(std::string(run) + "/run.json", "{}");
  write_result(folder / "a", {.status = RunStatus::kDiverged});
  write_result(
      folder / "b",
      {.status = RunStatus::kFinished, .validation = Validation{}, .training = TrainingResult{}});
  const FinishedRuns found = finished_among({at("a"), at("b"), at("c")});
  EXPECT_EQ(found.places, std::vector<std::string>{at("b")});
  EXPECT_EQ(found.diverged, 1u);
  EXPECT_EQ(found.unfinished, 1u);
  EXPECT_EQ(finished_among({at("a")}).places, std::vector<std::string>{at("a")})
      << "alone it is kept: whoever opens it says what is wrong";
  EXPECT_THROW(finished_among({at("a"), at("c")}), Error);
}

}  // namespace
}  // namespace bitlaw
