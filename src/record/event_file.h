// Event files of TensorBoard: the metrics of a run as scalars over its optimizer steps.
//
//   loss/train  loss/validation  learning_rate  gradient_norm  tokens_per_second  tokens
//
// A file is a sequence of TFRecords: the length of the data (8 bytes), its masked CRC-32C (4), the
// data, their masked CRC-32C (4), all least significant byte first. The data are an Event of
// TensorFlow's event.proto: time, step, and one scalar or more.
//
// metrics.jsonl is what counts. The events are made from it, again from the beginning whenever a run
// goes on, so that no point is there twice or missing. Each time the file has a later name, which a
// TensorBoard that reads it moves on to, and the one before is removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "record/result.h"

namespace bitlaw {

struct Scalar {
  std::string tag;
  float value = 0;
};

// One record, with its frame. `wall_time`: seconds since 1970.
std::string event_record(double wall_time, int64_t step, const std::vector<Scalar>& scalars);
// What a file begins with: the version of the format, and that all points read before are void.
std::string event_file_head(double wall_time);

// The events of lines of metrics.jsonl, one after the other.
class MetricsEvents {
 public:
  // "" if the line has nothing to show.
  std::string of_line(const Json& line, double wall_time);
  // The validation at the end of the run.
  std::string of_result(const ResultRecord& result, double wall_time);

 private:
  int64_t validated_ = -1;           // the last step with a validation
  double tokens_ = 0, seconds_ = 0;  // of the training line before
};

// A whole file, from the text of metrics.jsonl. `end`: when its last line was written. Torn and damaged
// lines are left out. `events` is left as it is after the last line.
std::string event_file_of(std::string_view metrics, double end, MetricsEvents& events);

// Writes the file of a run, as far as it is, to `directory`, and removes its earlier ones there. Its
// name has the time of the metrics, so one that is up to date stays as it is. The path; empty, with
// nothing written, if the run has no metrics.
std::filesystem::path write_event_file(const std::filesystem::path& run,
                                       const std::filesystem::path& directory);

// A new file for a run that goes on; the path.
std::filesystem::path begin_event_file(const std::filesystem::path& run, MetricsEvents& events);

}  // namespace bitlaw
