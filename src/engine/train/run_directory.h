// One run, one directory, written by one process and by atomic renames only:
//
//   run.json             configuration, model, data and build; written first
//   metrics.jsonl        a line per record of MetricsSink
//   events.out.tfevents.*  the same for TensorBoard, if asked for (record/event_file.h)
//   checkpoints/state/   state.bin, to resume from (train/state.h); removed when the run has ended
//   checkpoints/tokens-N/  the model after N tokens, if asked for (train/kept_checkpoints.h)
//   checkpoints/final/   the trained model and its tokenizer, in Hugging Face's layout
//   result.json          how it ended; written last, so a run with a result has ended
//   lock                 locked while a process works on the run; the file may exist without a lock
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/file_lock.h"
#include "base/json.h"
#include "record/event_file.h"
#include "record/leftovers.h"
#include "record/result.h"
#include "record/run.h"
#include "train/metrics.h"

namespace bitlaw {

inline constexpr const char* kStateFile = "state.bin";
inline constexpr const char* kMetricsFile = "metrics.jsonl";

class RunDirectory {
 public:
  // Does not touch the disk.
  RunDirectory(const std::filesystem::path& runs, const std::string& name);

  const std::string& name() const { return name_; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path state_file() const { return state_directory(path_) / kStateFile; }
  std::filesystem::path metrics_file() const { return path_ / kMetricsFile; }
  std::filesystem::path final_checkpoint() const { return bitlaw::final_checkpoint(path_); }

  // read_result() of this directory.
  std::optional<ResultRecord> result() const { return read_result(path_); }

  // Creates the directory, takes the lock, removes files that a killed process left half-written,
  // and writes run.json unless it exists. Busy if another process works on the run; Error if run.json
  // has another configuration, or if nothing can be written.
  void open(const RunRecord& record);

  // Truncates metrics.jsonl to the lines up to `step` and removes torn ones; later lines will be
  // written again.
  // `without_records`: and without what is recorded beside the line of that step, its validation
  // and the model kept.
  void truncate_metrics(int64_t step, bool without_records = false);
  void append_metrics(const StepMetrics& metrics);
  void append_metrics(const Json& line);
  // From now on, metrics also go to an event file of TensorBoard (record/event_file.h).
  void begin_events();

  // Lets `write` fill a temporary directory, then renames that to `place`, a checkpoint of this run.
  void save_checkpoint(const std::filesystem::path& place,
                       const std::function<void(const std::filesystem::path&)>& write);

  // Once the run has ended: what a process leaves that is killed inside finish().
  void remove_state();

  // Writes result.json and removes the saved state.
  void finish(const ResultRecord& result);

 private:
  void append_events(const std::string& bytes);

  std::string name_;
  std::filesystem::path path_;
  FileLock lock_;
  std::filesystem::path event_file_;  // empty: none
  MetricsEvents events_;
};

}  // namespace bitlaw
