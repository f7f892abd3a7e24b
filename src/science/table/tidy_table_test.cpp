#include "table/tidy_table.h"

#include <gtest/gtest.h>

#include "table/table.h"
#include "table/write_table.h"

namespace bitlaw {
namespace {

// A run, a cell of it, one that diverged, and a cell with activations rounded in use.
std::vector<TidyRow> rows() {
  TidyRow run;
  run.run = "a,\"b";
  run.status = "finished";
  run.N = 98304;
  run.N_total = 622592;
  run.D = 8003584;
  run.P_w = 4;
  run.P_a = run.P_kv = run.P_post = 16;
  run.format_w = "e2m1";
  run.format_a = run.format_kv = "bf16";
  run.loss = 3.25 + 1e-15;
  run.loss_standard_error = 0.1 + 0.2;
  run.method = "none";
  run.seed = 1;
  run.lr = 0.02;
  run.schedule = "cosine";
  TidyRow cell = run;
  cell.method = "gptq";
  cell.P_post = 3;
  cell.group = 128;
  cell.delta = 1.0 / 3;
  cell.measured_delta = 1.0 / 7;
  cell.standard_error = 1e-4;
  TidyRow diverged = run;
  diverged.status = "diverged";
  diverged.loss = kNoNumber;
  TidyRow in_use = cell;
  in_use.format_a_post = "int8";
  return {run, cell, diverged, in_use};
}

void expect_same(const TableOptions& options) {
  const Table memory = table_of(tidy_table(rows()), "runs", options);
  const Table text = read_table(tidy_to_csv(rows()), "runs", options);
  EXPECT_EQ(table_to_csv(memory.runs), table_to_csv(text.runs));
  EXPECT_EQ(memory.notes, text.notes);
  EXPECT_EQ(memory.filtered, text.filtered);
  EXPECT_EQ(memory.diverged, text.diverged);
  EXPECT_EQ(memory.in_use, text.in_use);
  ASSERT_EQ(memory.runs.size(), text.runs.size());
  for (size_t i = 0; i < memory.runs.size(); ++i)
    EXPECT_EQ(memory.runs[i].cluster, text.runs[i].cluster);
  EXPECT_EQ(memory.kind, "runs");
}

TEST(TidyTable, GivesTheObservationsOfItsCsv) {
  expect_same({});
  expect_same({.columns = {{"N", "N_total"}, {"delta", "measured_delta"}}});
  expect_same({.cluster = "seed,lr,schedule"});
  expect_same({.where = {"seed=1", "lr>0.01", "schedule=cosine", "P_post=3,16"}});
  expect_same({.scale = {{"D", 1e3}, {"loss", 2}}, .drop_duplicates = true});
}

}  // namespace
}  // namespace bitlaw
