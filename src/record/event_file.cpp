#include "record/event_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <bit>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/text.h"

namespace bitlaw {
namespace {

// ---- protocol buffers: a key is 8 times the number of the field, plus its wire type ----

constexpr uint32_t kVarint = 0, kEightBytes = 1, kBytes = 2, kFourBytes = 5;

constexpr uint32_t kEventTime = 1, kEventStep = 2, kEventVersion = 3, kEventSummary = 5,
                   kEventSession = 7;
constexpr uint32_t kSummaryValue = 1, kValueTag = 1, kValueNumber = 2;
constexpr uint32_t kSessionStatus = 1, kSessionStart = 1;

void append_varint(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void append_key(std::string& out, uint32_t field, uint32_t type) {
  append_varint(out, field << 3 | type);
}

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned number) {
  for (size_t i = 0; i < sizeof number; ++i) out += static_cast<char>(number >> 8 * i & 0xff);
}

void append_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  append_key(out, field, kBytes);
  append_varint(out, bytes.size());
  out += bytes;
}

std::string event_at(double wall_time, int64_t step) {
  std::string event;
  append_key(event, kEventTime, kEightBytes);
  append_little_endian(event, std::bit_cast<uint64_t>(wall_time));
  append_key(event, kEventStep, kVarint);
  append_varint(event, static_cast<uint64_t>(step));
  return event;
}

// ---- TFRecord ----

uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8U;
}

std::string framed(std::string_view data) {
  std::string record;
  append_little_endian(record, uint64_t{data.size()});
  append_little_endian(record, masked_crc(record));
  record += data;
  append_little_endian(record, masked_crc(data));
  return record;
}

// ---- files ----

namespace fs = std::filesystem;

constexpr double kNanosecond = 1e-9;
constexpr std::string_view kEventPrefix = "events.out.tfevents.", kEventSuffix = ".bitlaw";

// TensorBoard reads the files of a directory in the order of their names.
fs::path file_at(const fs::path& directory, int64_t time) {
  return directory / fmt::format("{}{:010}.{:09}{}", kEventPrefix, time / 1'000'000'000,
                                 time % 1'000'000'000, kEventSuffix);
}

int64_t change_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return 0;
  return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

void remove_others(const fs::path& file) {
  std::error_code none;
  std::vector<fs::path> others;
  for (const fs::directory_entry& entry : fs::directory_iterator(file.parent_path(), none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kEventPrefix) && name.ends_with(kEventSuffix) && entry.path() != file)
      others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove(other, none);
}

// ---- metrics.jsonl ----

std::optional<double> metric_in(const Json& line, const char* key) {
  if (!line.is_object() || !line.contains(key) || !line.at(key).is_number()) return std::nullopt;
  return line.at(key).get<double>();
}

}  // namespace

std::string event_record(double wall_time, int64_t step, const std::vector<Scalar>& scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    append_bytes(value, kValueTag, scalar.tag);
    append_key(value, kValueNumber, kFourBytes);
    append_little_endian(value, std::bit_cast<uint32_t>(scalar.value));
    append_bytes(summary, kSummaryValue, value);
  }
  std::string event = event_at(wall_time, step);
  append_bytes(event, kEventSummary, summary);
  return framed(event);
}

std::string event_file_head(double wall_time) {
  std::string version = event_at(wall_time, 0), start = version, session;
  append_bytes(version, kEventVersion, "brain.Event:2");
  append_key(session, kSessionStatus, kVarint);
  append_varint(session, kSessionStart);
  append_bytes(start, kEventSession, session);
  return framed(version) + framed(start);
}

std::string MetricsEvents::of_line(const Json& line, double wall_time) {
  const auto step = metric_in(line, "step");
  if (!step) return "";
  std::vector<Scalar> scalars;
  const auto add = [&](const char* tag, std::optional<double> value) {
    if (value) scalars.push_back({tag, static_cast<float>(*value)});
  };
  add("loss/train", metric_in(line, "loss_nats"));
  add("learning_rate", metric_in(line, "learning_rate"));
  add("gradient_norm", metric_in(line, "gradient_norm"));
  if (line.contains("validation")) {
    add("loss/validation", metric_in(line.at("validation"), "loss_nats"));
    validated_ = static_cast<int64_t>(*step);
  }
  const auto tokens = metric_in(line, "tokens"), seconds = metric_in(line, "seconds");
  if (tokens && seconds) {
    if (*seconds > seconds_ && *tokens > tokens_)
      add("tokens_per_second", (*tokens - tokens_) / (*seconds - seconds_));
    tokens_ = *tokens;
    seconds_ = *seconds;
    add("tokens", tokens);
  }
  return scalars.empty() ? "" : event_record(wall_time, static_cast<int64_t>(*step), scalars);
}

std::string MetricsEvents::of_result(const ResultRecord& result, double wall_time) {
  if (!result.validation || !result.training || result.training->steps == validated_) return "";
  return event_record(wall_time, result.training->steps,
                      {{"loss/validation", static_cast<float>(result.validation->loss_nats)}});
}

std::string event_file_of(std::string_view metrics, double end, MetricsEvents& events) {
  std::vector<Json> lines;
  for (const std::string& text : split(std::string(metrics), '\n')) {
    std::optional<Json> line = try_parse_json(text);
    if (line && metric_in(*line, "step")) lines.push_back(std::move(*line));
  }
  double last = 0;  // seconds of training
  for (const Json& line : lines) last = metric_in(line, "seconds").value_or(last);
  std::string body;
  double seconds = 0;
  for (const Json& line : lines) {
    seconds = metric_in(line, "seconds").value_or(seconds);
    body += events.of_line(line, end - last + seconds);
  }
  return event_file_head(end - last) + body;
}

fs::path write_event_file(const fs::path& run, const fs::path& directory) {
  const fs::path metrics = run / "metrics.jsonl";
  std::error_code none;
  if (!fs::exists(metrics, none)) return {};
  const std::optional<ResultRecord> result = read_result(run);
  const int64_t time = change_of(result ? result_file(run) : metrics);
  const fs::path file = file_at(directory, time);
  if (fs::exists(file, none)) return file;
  MetricsEvents events;
  const double end = kNanosecond * static_cast<double>(change_of(metrics));
  std::string bytes = event_file_of(read_file(metrics), end, events);
  if (result) bytes += events.of_result(*result, kNanosecond * static_cast<double>(time));
  write_file_atomically(file, bytes);
  remove_others(file);
  return file;
}

fs::path begin_event_file(const fs::path& run, MetricsEvents& events) {
  const fs::path metrics = run / "metrics.jsonl";
  std::error_code none;
  const bool has_metrics = fs::exists(metrics, none);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t time = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  const double end = kNanosecond * static_cast<double>(has_metrics ? change_of(metrics) : time);
  const fs::path file = file_at(run, time);
  write_file_atomically(file, event_file_of(has_metrics ? read_file(metrics) : "", end, events));
  remove_others(file);
  return file;
}

}  // namespace bitlaw
