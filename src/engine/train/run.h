// A run from its configuration to its result: resume what was begun, train, validate, record.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "record/result.h"
#include "record/run.h"
#include "train/config.h"
#include "train/metrics.h"
#include "train/validation.h"

namespace bitlaw {

struct RunOutcome {
  RunStatus status;  // how the call ended: never kStarted
  std::string name;
  std::filesystem::path directory;
  std::optional<ResultRecord> result;  // none if interrupted
  bool was_there = false;              // the run had ended before; nothing was computed
  int64_t steps_done = 0;
  int64_t steps = 0;
};

// What run.json will say.
RunRecord make_run_record(const ResolvedConfig& resolved, const DatasetInfo& data);

// Runs, goes on with, or looks up the run of `config`. What it writes is described in
// train/run_directory.h; `sink` (may be null) hears what metrics.jsonl gets. Error for anything
// wrong with the configuration, the data or the disk; what was saved before stays as it was.
RunOutcome train(const TrainConfig& config, const RunOptions& options, MetricsSink* sink = nullptr);

// One sentence for people about how it ended, and after an interruption how to go on.
std::string describe(const RunOutcome& outcome);

// A run that was trained here, from its directory. Error if it is none.
struct TrainedRun {
  std::filesystem::path directory;
  RunRecord record;
  TrainConfig config;                  // resolved; data.path as it was when the run was made
  std::optional<ResultRecord> result;  // none before the end

  // The trained model. Error if there is none, or its weights are not those of the result.
  std::filesystem::path checkpoint() const;
};
TrainedRun read_run(const std::filesystem::path& directory);

// Validation of a finished run's final checkpoint on a data set of the same vocabulary, at most
// `tokens` tokens (0: all), with the recipe it was trained with. Error if its loss is not finite.
Validation evaluate_run(const TrainedRun& run, const Dataset& dataset, int64_t tokens, int threads);

}  // namespace bitlaw
