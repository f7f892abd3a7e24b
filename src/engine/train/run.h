// A run from its configuration to its result: resume what was begun, train, validate, record.
#pragma once

#include <filesystem>
#include <string>

#include "train/config.h"
#include "train/metrics.h"
#include "train/validation.h"

namespace bitlaw {

enum class RunStatus {
  kFinished,
  kDiverged,     // a result like any other (train/divergence.h)
  kInterrupted,  // stop_requested(): the state is saved and the same call goes on from there
};
const char* name_of(RunStatus status);

struct RunOutcome {
  RunStatus status;
  std::string name;
  std::filesystem::path directory;
  Json result;             // as in result.json; null where interrupted
  bool was_there = false;  // the run had ended before; nothing was computed
  int64_t steps_done = 0;
  int64_t steps = 0;
};

// Runs, goes on with, or looks up the run of `config`. What it writes is described in
// train/run_directory.h; `sink` (may be null) hears what metrics.jsonl gets. Error for anything
// wrong with the configuration, the data or the disk; what was saved before stays as it was.
RunOutcome train(const TrainConfig& config, const RunOptions& options, MetricsSink* sink = nullptr);

// One sentence for people about how it ended, and after an interruption how to go on.
std::string describe(const RunOutcome& outcome);

// The record of a run, from its directory. Error where it is not one.
struct RunRecord {
  std::filesystem::path directory;
  std::string name;
  TrainConfig config;  // resolved; data.path as it was when the run was made
  std::string data_hash;
  Json record;  // run.json
  Json result;  // result.json; null while there is none
};
RunRecord read_run(const std::filesystem::path& directory);

// Validation of a finished run's final checkpoint on a data set of the same vocabulary, at most
// `tokens` tokens (0: all), with the recipe it was trained with.
Validation evaluate_run(const RunRecord& run, const Dataset& dataset, int64_t tokens, int threads);

}  // namespace bitlaw
