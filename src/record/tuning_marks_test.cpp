#include "record/tuning_marks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/test_folder.h"
#include "record/beside_runs.h"

namespace bitlaw {
namespace {

using Names = std::set<std::string>;

TEST(TuningMarks, AddUp) {
  const TestFolder folder;
  EXPECT_EQ(tuning_runs(folder.path()), Names{});
  mark_as_tuning(folder.path(), {"b", "a"});
  mark_as_tuning(folder.path(), {"a", "c"});
  mark_as_tuning(folder.path(), {"c"});
  EXPECT_EQ(tuning_runs(folder.path()), (Names{"a", "b", "c"}));
}

TEST(TuningMarks, OfAnOlderDirectoryAreKept) {
  const TestFolder folder;
  write_file_atomically(folder.path() / kTuningFile, R"({"runs": ["old"]})");
  mark_as_tuning(folder.path(), {"old", "new"});
  EXPECT_EQ(tuning_runs(folder.path()), (Names{"old", "new"}));
  EXPECT_EQ(read_file(folder.path() / kTuningFile), R"({"runs": ["old"]})");
}

// Fleets in one directory at once, each of which reads before it writes, lose no mark.
TEST(TuningMarks, OfFleetsAtOnceAreAllKept) {
  const TestFolder folder;
  constexpr int kFleets = 8, kStages = 20;
  std::vector<std::thread> fleets;
  for (int fleet = 0; fleet < kFleets; ++fleet) {
    fleets.emplace_back([&, fleet] {
      for (int stage = 0; stage < kStages; ++stage)
        mark_as_tuning(folder.path(), {std::to_string(fleet) + "-" + std::to_string(stage)});
    });
  }
  for (std::thread& fleet : fleets) fleet.join();
  EXPECT_EQ(tuning_runs(folder.path()).size(), static_cast<size_t>(kFleets * kStages));
}

TEST(TuningMarks, ADamagedFileIsNamed) {
  const TestFolder folder;
  mark_as_tuning(folder.path(), {"a"});
  const std::filesystem::path file = folder.path() / kTuningFolder / "other.json";
  std::ofstream(file) << R"({"runs": 3})";
  try {
    tuning_runs(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with(file.string()));
  }
}

TEST(TuningMarks, LieBesideTheRuns) {
  const TestFolder folder;
  mark_as_tuning(folder.path(), {"a"});
  EXPECT_TRUE(is_beside_runs(folder.path() / kTuningFolder));
}

}  // namespace
}  // namespace bitlaw
