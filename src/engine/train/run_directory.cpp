#include "train/run_directory.h"

#include <fmt/format.h>

#include <chrono>
#include <system_error>
#include <vector>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// What a killed process can leave: write_file_atomically's temporary files and an unfinished
// checkpoint.
void remove_half_written(const fs::path& directory) {
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().filename().string().find(".tmp") != std::string::npos)
      leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, ignored);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

RunDirectory::RunDirectory(const fs::path& runs, const std::string& name)
    : name_(name), path_(runs / name) {}

void RunDirectory::open(const RunRecord& record) {
  make_directories(path_);
  if (!lock_.take(path_ / "lock")) {
    throw Busy(
        fmt::format("{}: another process is working on this run; wait for it or stop it first",
                    path_.string()));
  }
  for (const char* place : {"", "checkpoints", "checkpoints/state"})
    remove_half_written(path_ / place);

  if (!is_run(path_)) {
    write_run_record(path_, record);
    return;
  }
  if (read_run_record(path_).current_config() != record.config) {
    throw Error(
        fmt::format("{}: has another configuration than its name says; move the directory "
                    "away and train again",
                    run_file(path_).string()));
  }
}

void RunDirectory::truncate_metrics(int64_t step, bool without_records) {
  const fs::path file = metrics_file();
  if (!fs::exists(file)) return;
  const std::string before = read_file(file);
  std::string kept;
  for (const std::string& line : split(before, '\n')) {
    const Json document = try_parse_json(line).value_or(Json());
    if (!document.contains("step") || document.at("step") > step) continue;
    if (without_records && document.at("step") == step && document.contains("validation")) continue;
    kept += line + "\n";
  }
  if (kept != before) write_file_atomically(file, kept);
}

void RunDirectory::append_metrics(const StepMetrics& metrics) {
  append_metrics(Json{{"step", metrics.step},
                      {"tokens", metrics.tokens},
                      {"loss_nats", metrics.loss_nats},
                      {"learning_rate", metrics.learning_rate},
                      {"gradient_norm", metrics.gradient_norm},
                      {"seconds", metrics.seconds}});
}

void RunDirectory::append_metrics(const Json& line) {
  append_line(metrics_file(), dump_json(line));
  append_events(events_.of_line(line, seconds_now()));
}

void RunDirectory::begin_events() {
  events_ = {};
  event_file_ = begin_event_file(path_, events_);
}

void RunDirectory::append_events(const std::string& bytes) {
  if (event_file_.empty() || bytes.empty()) return;
  Descriptor file(event_file_, O_WRONLY | O_APPEND);
  if (!file.ok() || !write_all(file.get(), bytes)) event_file_.clear();  // the run goes on
}

void RunDirectory::save_checkpoint(const fs::path& place,
                                   const std::function<void(const fs::path&)>& write) {
  const fs::path temporary = place.string() + ".tmp";
  std::error_code error;
  fs::remove_all(temporary, error);
  make_directories(temporary);
  try {
    write(temporary);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  fs::remove_all(place, error);
  fs::rename(temporary, place, error);
  if (error) {
    throw Error(
        fmt::format("{}: cannot be renamed into place: {}", place.string(), error.message()));
  }
}

void RunDirectory::remove_state() {
  std::error_code ignored;
  fs::remove_all(state_file().parent_path(), ignored);
}

void RunDirectory::finish(const ResultRecord& result) {
  write_result(path_, result);
  append_events(events_.of_result(result, seconds_now()));
  remove_state();
}

}  // namespace bitlaw
