// result.json: how a run ended. It is written last, so a run with a result has ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"

namespace bitlaw {

struct RunRecord;

enum class RunStatus {
  kStarted,  // no result yet
  kFinished,
  kDiverged,     // a result like any other (train/divergence.h)
  kInterrupted,  // stopped, with its state saved; on disk the same as kStarted
};
const char* name_of(RunStatus status);

// The loss on text that was not trained on. NaN: not known.
struct Validation {
  double loss_nats = kNoNumber;  // mean per token
  // Of loss_nats; needs at least two clusters.
  double standard_error = kNoNumber;
  // Known if the data set counts the bytes of its text.
  double bits_per_byte = kNoNumber;
  int64_t tokens = 0;
  int64_t clusters = 0;
  // Of loss_nats as an estimate for all the held-out text, of which a sample was taken; 0: all was.
  double sampling_error = kNoNumber;

  template <class V>
  void visit(V& v) {
    v("loss_nats", loss_nats);
    v("standard_error", standard_error);
    v("bits_per_byte", bits_per_byte);
    v("tokens", tokens);
    v("clusters", clusters);
    v.known("sampling_error", sampling_error);
  }
};

// What training reached and cost.
struct TrainingResult {
  int schema = 0;
  // Mean over the last steps; NaN for a run that diverged.
  double train_loss_nats = kNoNumber;
  int64_t tokens = 0, steps = 0;
  double epochs = 0;
  // Time inside steps.
  double seconds = 0;
  double tokens_per_second = 0, flops_per_second = 0;
  // All of the training; NaN in files of earlier versions.
  double flops = kNoNumber;
  int threads = 0;
  int64_t peak_memory_bytes = 0;
  double predicted_memory_bytes = 0;
  // Time, ISO 8601.
  std::string finished;
  std::optional<int64_t> diverged_at_step;
  // Hash of the final checkpoint; empty in files of earlier versions.
  std::string weights_hash;
  // Steps at the beginning that another run of the same trunk made (train/trunk.h).
  std::optional<int64_t> shared_steps;
  // What computed it (ops/engine.h), in order if there were several; empty in files of earlier
  // versions.
  std::vector<std::string> engines;

  template <class V>
  void visit(V& v) {
    v("schema", schema);
    v("train_loss_nats", train_loss_nats);
    v("tokens", tokens);
    v("steps", steps);
    v("epochs", epochs);
    v("seconds", seconds);
    v("tokens_per_second", tokens_per_second);
    v("flops_per_second", flops_per_second);
    v.known("flops", flops);
    v("threads", threads);
    v("peak_memory_bytes", peak_memory_bytes);
    v("predicted_memory_bytes", predicted_memory_bytes);
    v("finished", finished);
    v.known("diverged_at_step", diverged_at_step);
    v.known("weights_hash", weights_hash);
    v.known("shared_steps", shared_steps);
    v.known("engines", engines);
  }
};

struct ResultRecord {
  RunStatus status = RunStatus::kFinished;  // or kDiverged
  std::optional<Validation> validation;     // of a finished run
  std::optional<TrainingResult> training;   // empty for a third-party checkpoint
};

Json result_to_json(const ResultRecord& result);

std::filesystem::path result_file(const std::filesystem::path& run);

// Empty before the run has ended. Error, naming the file and what to do, if it is damaged: numbers
// must be possible, and the checksum that of the content.
std::optional<ResultRecord> read_result(const std::filesystem::path& run);
// The same for the bytes of a file; `where` is its name in errors.
ResultRecord parse_result(const std::string& text, const std::string& where);

// Error, naming the file, if a run that finished has other tokens than its configuration says.
void require_result_of(const RunRecord& record, const ResultRecord& result,
                       const std::filesystem::path& run);

// Atomic; with a checksum. A file that already has the same content is not rewritten.
void write_result(const std::filesystem::path& run, const ResultRecord& result);

// kStarted if there is no result. Errors as in read_result().
RunStatus run_status(const std::filesystem::path& run);

}  // namespace bitlaw
