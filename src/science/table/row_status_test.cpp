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

// The second of two rows is the finished one.
Table read_ends(const std::string& column, const std::string& bad, const std::string& good) {
  return read_table(fmt::format("N,D,loss,{}\n1e8,2e9,9,{}\n1e8,4e9,2.9,{}\n", column, bad, good),
                    "t", TableOptions{});
}

TEST(RowStatus, AColumnOfAnyNameMaySayIt) {
  for (const char* column :
       {"Status", "JobState", "wandb_state", "mlflow_status", "outcome", "end state", "Result"}) {
    for (const char* word : {"crashed", "OUT_OF_MEMORY", "CANCELLED by 1000", "running", "failed"})
      EXPECT_EQ(read_ends(column, word, "finished").runs.size(), 1u) << column << " " << word;
  }
  EXPECT_EQ(read_ends("notes", "diverged", "").runs.size(), 1u);
  EXPECT_EQ(read_ends("kind", "gelu", "done").runs.size(), 2u) << "not all are such words";
  EXPECT_EQ(read_ends("grad", "nan", "nan").runs.size(), 2u) << "a missing number";
  EXPECT_EQ(read_ends("outcome", "finished", "ok").runs.size(), 2u);
  TableOptions all;
  all.columns = {{"status", "-"}};
  EXPECT_EQ(
      read_table("N,D,loss,outcome\n1e8,2e9,9,crashed\n1e8,4e9,2.9,ok\n", "t", all).runs.size(),
      2u);
}

TEST(RowStatus, ExitCodesAndMessagesSayItToo) {
  for (const char* column : {"exit_code", "ExitCode", "return code", "returncode"}) {
    for (const char* code : {"1", "137", "-9", "0:9", "2:0"})
      EXPECT_EQ(read_ends(column, code, "0").runs.size(), 1u) << column << " " << code;
    EXPECT_EQ(read_ends(column, "0:0", "0").runs.size(), 2u) << column;
  }
  EXPECT_EQ(read_ends("error", "CUDA OOM", "").runs.size(), 1u);
  EXPECT_EQ(read_ends("error", "0.01", "0.02").runs.size(), 2u) << "a standard error";
  EXPECT_EQ(read_ends("exception", "a", "b").runs.size(), 2u) << "of every row: no such message";
  EXPECT_EQ(read_ends("crashed", "3", "0").runs.size(), 2u) << "a number of restarts is no flag";
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
