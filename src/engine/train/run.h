// A run from its configuration to its result: resume if interrupted, train, validate, record.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "record/result.h"
#include "record/run.h"
#include "train/config.h"
#include "train/metrics.h"

namespace bitlaw {

struct RunOutcome {
  RunStatus status;  // how the call ended: never kStarted
  std::string name;
  std::filesystem::path directory;
  std::optional<ResultRecord> result;  // none if interrupted
  bool was_there = false;              // the run had already ended; nothing was computed
  int64_t steps_done = 0;
  int64_t steps = 0;
};

// The content of run.json.
RunRecord make_run_record(const ResolvedConfig& resolved, const DatasetInfo& data);

// Runs or resumes the run of `config`, or returns its result if it has already ended. The files it
// writes are described in train/run_directory.h; `sink` (may be null) gets the records of
// metrics.jsonl. Error if anything is wrong with the configuration, the data or the disk;
// previously saved files are kept.
RunOutcome train(const TrainConfig& config, const RunOptions& options, MetricsSink* sink = nullptr);

// One sentence for people on how it ended, and after an interruption how to resume.
std::string describe(const RunOutcome& outcome);

// A run that was trained here, from its directory.
struct TrainedRun {
  std::filesystem::path directory;
  RunRecord record;
  TrainConfig config;                  // resolved; data.path as it was when the run began
  std::optional<ResultRecord> result;  // none before the end

  // The trained model. Error if there is none, or its weights are not those of the result.
  std::filesystem::path checkpoint() const;
};
// Error if the directory is not such a run.
TrainedRun read_run(const std::filesystem::path& directory);
// The same from its records; the directory need not exist.
TrainedRun trained_run(const std::filesystem::path& directory, RunRecord record,
                       std::optional<ResultRecord> result);

// Validation of a finished run's final checkpoint on a data set of the same vocabulary, at most
// `tokens` tokens (0: all), with the recipe it was trained with. Error if its loss is not finite.
Validation evaluate_run(const TrainedRun& run, const Dataset& dataset, int64_t tokens, int threads);

}  // namespace bitlaw
