#include "work/job.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/test_folder.h"
#include "quantize/rows.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw {
namespace {

constexpr const char* kRun = "0123456789abcdef";

Job job_of(JobKind kind) {
  Job job;
  job.kind = kind;
  job.name = "a job";
  job.run = kRun;
  return job;
}

std::string line(const Job& job) {
  std::string out;
  for (const std::string& word : job_command(job, "runs/demo", "bitlaw"))
    out += (out.empty() ? "" : " ") + (word.empty() ? "''" : word);
  return out;
}

TEST(Job, IsACommandOfThisProgram) {
  EXPECT_EQ(line(job_of(JobKind::kTrain)),
            "bitlaw train runs/demo/cells/0123456789abcdef.json --directory runs/demo --threads 1 "
            "--quiet --json");
  Job keeps_models = job_of(JobKind::kTrain);
  keeps_models.checkpoints = 3;
  EXPECT_TRUE(line(keeps_models).ends_with(" --json --checkpoints 3"));
  EXPECT_EQ(line(job_of(JobKind::kMeasure)),
            "bitlaw train runs/demo/cells/0123456789abcdef.json --measure 1 --threads 1 --json");
  Job quantize = job_of(JobKind::kQuantize);
  quantize.grid.methods = {"rtn", "awq"};
  quantize.grid.bits = {3, 4};
  EXPECT_EQ(
      line(quantize),
      "bitlaw quantize runs/demo/0123456789abcdef --threads 1 --json --methods rtn,awq "
      "--bits 3,4 --formats '' --groups 0 --activations trained --kv trained "
      "--activations-granularity sequence --kv-granularity sequence --calibration-tokens 32768 "
      "--calibration-seeds 1,2 --evaluation-tokens 131072 --damping 0.01 --data ''");
}

TEST(Job, HasALogOfItsOwn) {
  EXPECT_EQ(job_log(job_of(JobKind::kTrain), "runs"), "runs/logs/0123456789abcdef.log");
  EXPECT_EQ(job_log(job_of(JobKind::kQuantize), "runs"), "runs/logs/0123456789abcdef-quantize.log");
  EXPECT_EQ(job_log(job_of(JobKind::kMeasure), "runs"), "runs/logs/measure-0123456789abcdef.log");
}

TEST(Job, ReadsTheFilesThatAreWrittenForIt) {
  const TestFolder folder;
  std::vector<Job> jobs{job_of(JobKind::kTrain), job_of(JobKind::kQuantize)};
  jobs[0].configuration["train"]["seed"] = 7;
  write_job_files(jobs, folder.path());
  const std::string file = job_command(jobs[0], folder.path(), "bitlaw")[2];
  EXPECT_EQ(parse_json(read_file(file), file), jobs[0].configuration);
  EXPECT_EQ(folder.names().size(), 2u) << "the folder of cells and a file in it";
}

TEST(Job, IsDoneWhenTheRecordOfItsRunSaysSo) {
  const TestFolder folder;
  const std::filesystem::path run = folder / kRun;
  const auto done = [&](JobKind kind) { return is_done(job_of(kind), folder.path()); };
  EXPECT_FALSE(done(JobKind::kTrain));
  EXPECT_FALSE(done(JobKind::kQuantize));

  write_run_record(run, trained_run_record(1000, "16"));
  EXPECT_FALSE(done(JobKind::kTrain)) << "it has begun";

  write_result(run, {.status = RunStatus::kFinished, .validation = Validation{}});
  EXPECT_TRUE(done(JobKind::kTrain));
  EXPECT_FALSE(done(JobKind::kQuantize));

  write_result(run, {.status = RunStatus::kDiverged});
  EXPECT_TRUE(done(JobKind::kTrain));
  EXPECT_TRUE(done(JobKind::kQuantize)) << "there is nothing to quantize";
  EXPECT_FALSE(done(JobKind::kMeasure)) << "a speed is measured anew";
}

TEST(Job, IsQuantizedWhenEveryCellOfItsGridIsThere) {
  const TestFolder folder;
  const std::filesystem::path run = folder / kRun;
  write_run_record(run, trained_run_record(1000, "16"));
  write_result(run, {.status = RunStatus::kFinished, .validation = Validation{}});
  Job job = job_of(JobKind::kQuantize);
  job.grid.bits = {3, 4};
  job.grid.calibration_tokens = job.grid.evaluation_tokens = 64;  // two windows
  const std::vector<PtqCell> cells = ptq_cells(job.grid);
  for (size_t i = 0; i < cells.size(); ++i) {
    EXPECT_FALSE(is_done(job, folder.path()));
    EXPECT_DOUBLE_EQ(share_done(job, folder.path()),
                     static_cast<double>(i) / static_cast<double>(cells.size()));
    CellRecord cell;
    cell.key = requested_cell(cells[i], 64, 64);
    cell.run = kRun;
    write_cell(cell_file(run, cell.key), cell);
  }
  EXPECT_TRUE(is_done(job, folder.path()));
  EXPECT_EQ(share_done(job, folder.path()), 1);
  job.grid.bits = {3, 5};
  EXPECT_FALSE(is_done(job, folder.path())) << "as many cells, but others";
}

TEST(Job, TheShareOfTrainingIsThatOfItsTokens) {
  const TestFolder folder;
  Job job = job_of(JobKind::kTrain);
  job.tokens = 1000;
  EXPECT_EQ(share_done(job, folder.path()), 0) << "nothing is there";
  const std::string metrics = std::string(kRun) + "/metrics.jsonl";
  const auto line = [](int64_t tokens) {
    return dump_json({{"loss_nats", 6.0}, {"seconds", 1.0}, {"tokens", tokens}}) + "\n";
  };
  folder.write(metrics, line(100) + line(250));
  EXPECT_EQ(share_done(job, folder.path()), 0.25);
  folder.write(metrics, line(100) + "{\"tok");
  EXPECT_EQ(share_done(job, folder.path()), 0.1) << "a line just being written does not count";
}

}  // namespace
}  // namespace bitlaw
