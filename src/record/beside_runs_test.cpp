#include "record/beside_runs.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(BesideRuns, EveryNameIsKnownAndARunIsNot) {
  const TestFolder folder;
  folder.write("demo/0123456789abcdef/run.json", "{}");
  folder.write("demo/logs/run.json", "{}");
  for (const char* name : {kConfigurationsFolder, kDecisionFile, kScriptFile, kSlurmFile,
                           kCondorFile, kEffortFile, kIndexFile, "index.sqlite-wal", kSweepLock}) {
    EXPECT_TRUE(is_beside_runs(folder / "demo" / name)) << name;
  }
  EXPECT_TRUE(is_beside_runs(folder / "demo/cells/")) << "as a shell completes it";
  EXPECT_FALSE(is_beside_runs(folder / "demo/0123456789abcdef"));
  EXPECT_FALSE(is_beside_runs(folder / "demo/logs")) << "a run may have any name";
  EXPECT_FALSE(is_beside_runs(folder / "demo/notes.txt"));
}

}  // namespace
}  // namespace bitlaw
