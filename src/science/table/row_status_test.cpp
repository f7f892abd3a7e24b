#include "table/row_status.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "table/table.h"

namespace bitlaw {
namespace {

Table read_status(const std::string& column, const std::string& word) {
  return read_table(fmt::format("N,D,loss,{}\n1e8,2e9,9,{}\n1e8,4e9,2.9,\n", column, word), "t",
                    TableOptions{});
}

// As W&B, MLflow, Slurm, Ray, Optuna, ClearML and cloud services say it.
TEST(RowStatus, RowsThatAreNotFinishedAreLeftOutAndCounted) {
  for (const char* column : {"State", "status", "run.state", "job_state", "trial_status"}) {
    for (const char* word : {"crashed", "running", "killed", "KILLED", "CANCELLED by 1000",
                             "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "Pending",
                             "SCHEDULED", "PRUNED", "stopped", "aborted", "queued"}) {
      const Table table = read_status(column, word);
      EXPECT_EQ(table.runs.size(), 1u) << column << " " << word;
      EXPECT_NE(table.notes.back().find(
                    fmt::format("left out: {} {} in 1 row. --columns status=-", column, word)),
                std::string::npos)
          << table.notes.back();
    }
    for (const char* word : {"FAILED", "error", "diverged"})
      EXPECT_EQ(read_status(column, word).diverged, 1) << column << " " << word;
    for (const char* word : {"finished", "FINISHED", "COMPLETED", "Succeeded", "COMPLETE"})
      EXPECT_EQ(read_status(column, word).runs.size(), 2u) << column << " " << word;
  }
}

TEST(RowStatus, FlagsSayItToo) {
  for (const char* column : {"crashed", "failed", "is_killed", "diverged", "sys/failed"}) {
    EXPECT_EQ(read_status(column, "True").runs.size(), 1u) << column;
    EXPECT_EQ(read_status(column, "1").runs.size(), 1u) << column;
    EXPECT_EQ(read_status(column, "false").runs.size(), 2u) << column;
  }
  const Table table = read_table("N,D,loss,done\n1e8,2e9,9,False\n1e8,4e9,2.9,True\n", "t");
  EXPECT_EQ(table.runs.size(), 1u);
  EXPECT_EQ(table.notes.back(),
            "Not known to be finished and left out: done False in 1 row. --columns finished=- uses "
            "all rows.");
  EXPECT_EQ(read_table("N,D,loss,completed\n1e8,2e9,3,2025-01-02\n", "t").runs.size(), 1u)
      << "a date is no flag";
}

}  // namespace
}  // namespace bitlaw
