// The learning curve of a run, read from its metrics.jsonl as it grows: what was appended since the
// last look, and all of it again if the file was replaced or cut (a run that was resumed).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace bitlaw {

class Curve {
 public:
  // Of training; the last one is kept beside them.
  static constexpr size_t kMostPoints = 999;

  struct Point {
    double step = 0, tokens = 0, loss_nats = 0;
  };

  explicit Curve(std::filesystem::path metrics) : file_(std::move(metrics)) {}

  // Whether there is more, or something else, than before. A line without its end is left for later.
  bool update();

  // Losses of training: every every()th line of the log, and its last.
  std::vector<Point> training() const;
  const std::vector<Point>& validation() const { return validation_; }
  int64_t every() const { return every_; }

  // .training and .validation as {step[], tokens[], loss[]}, .every
  Json document() const;

 private:
  void restart();
  void take(std::string_view lines);
  void take_validation(std::string_view line);
  bool take_last(std::string_view line);
  void keep(const Point& point);

  std::filesystem::path file_;
  int64_t offset_ = 0;  // of the first byte that was not read
  uint64_t inode_ = 0;
  std::string before_;  // the last bytes that were read: another text there is another file
  std::vector<Point> training_, validation_;
  Point last_;
  bool has_last_ = false;
  int64_t lines_ = 0, every_ = 1;
};

}  // namespace bitlaw
