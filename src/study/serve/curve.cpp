#include "serve/curve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/descriptor.h"

namespace bitlaw {
namespace {

constexpr int64_t kBytesBefore = 256;
constexpr int64_t kBytesAtOnce = int64_t{4} << 20;

std::optional<double> number_in(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<Curve::Point> point_of(const Json& line, const Json& losses) {
  const auto step = number_in(line, "step"), tokens = number_in(line, "tokens"),
             loss = losses.is_object() ? number_in(losses, "loss_nats") : std::nullopt;
  if (!step || !tokens || !loss || !std::isfinite(*loss)) return std::nullopt;
  return Curve::Point{*step, *tokens, *loss};
}

std::string bytes_at(int descriptor, int64_t from, int64_t count) {
  std::string bytes(static_cast<size_t>(std::max<int64_t>(count, 0)), '\0');
  const ssize_t read = ::pread(descriptor, bytes.data(), bytes.size(), from);
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(read, 0)));
  return bytes;
}

Json columns_of(const std::vector<Curve::Point>& points) {
  Json::Array steps, tokens, losses;
  for (const Curve::Point& point : points) {
    steps.emplace_back(point.step);
    tokens.emplace_back(point.tokens);
    losses.emplace_back(point.loss_nats);
  }
  return Json{
      {"step", std::move(steps)}, {"tokens", std::move(tokens)}, {"loss", std::move(losses)}};
}

}  // namespace

void Curve::restart() {
  offset_ = lines_ = 0;
  every_ = 1;
  before_.clear();
  training_.clear();
  validation_.clear();
  has_last_ = false;
}

bool Curve::update() {
  // Whoever puts a pipe there must not stop the look.
  const Descriptor file(file_, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (!file.ok() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    const bool had = has_last_;
    restart();
    return had;
  }
  bool changed = false;
  const auto size = static_cast<int64_t>(status.st_size);
  const auto known = static_cast<int64_t>(before_.size());
  if (status.st_ino != inode_ || size < offset_ ||
      bytes_at(file.get(), offset_ - known, known) != before_) {
    changed = has_last_;
    restart();
    inode_ = status.st_ino;
  }
  while (offset_ < size) {
    std::string bytes = bytes_at(file.get(), offset_, std::min(size - offset_, kBytesAtOnce));
    const size_t end = bytes.rfind('\n');
    if (end == std::string::npos) break;
    bytes.resize(end + 1);
    take(bytes);
    changed = true;
    offset_ += static_cast<int64_t>(bytes.size());
    before_ += bytes.substr(bytes.size() - std::min<size_t>(bytes.size(), kBytesBefore));
    if (std::ssize(before_) > kBytesBefore) before_.erase(0, before_.size() - kBytesBefore);
  }
  return changed;
}

// Lines that are not kept are not parsed, but for the last of them.
void Curve::take(std::string_view lines) {
  std::string_view skipped;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size() - 1);
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    if (line.find("\"validation\"") != std::string_view::npos) {
      take_validation(line);
    } else if (lines_++ % every_ == 0) {
      if (take_last(line)) keep(last_);
      skipped = {};
    } else {
      skipped = line;
    }
  }
  if (!skipped.empty()) take_last(skipped);
}

void Curve::take_validation(std::string_view line) {
  const std::optional<Json> parsed = try_parse_json(line);
  if (!parsed || !parsed->is_object() || !parsed->contains("validation")) return;
  const auto point = point_of(*parsed, parsed->at("validation"));
  if (point && validation_.size() < kMostPoints) validation_.push_back(*point);
}

bool Curve::take_last(std::string_view line) {
  const std::optional<Json> parsed = try_parse_json(line);
  const auto point =
      parsed && parsed->is_object() ? point_of(*parsed, *parsed) : std::optional<Point>();
  if (!point) return false;
  last_ = *point;
  return has_last_ = true;
}

void Curve::keep(const Point& point) {
  training_.push_back(point);
  if (training_.size() <= kMostPoints) return;
  every_ *= 2;
  size_t out = 0;
  for (size_t i = 0; i < training_.size(); i += 2) training_[out++] = training_[i];
  training_.resize(out);
}

std::vector<Curve::Point> Curve::training() const {
  std::vector<Point> points = training_;
  if (has_last_ && (points.empty() || points.back().step != last_.step)) points.push_back(last_);
  return points;
}

Json Curve::document() const {
  return Json{{"every", every_},
              {"training", columns_of(training())},
              {"validation", columns_of(validation_)}};
}

}  // namespace bitlaw
