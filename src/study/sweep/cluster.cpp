#include "sweep/cluster.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "work/outcome.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

bool can_execute(const fs::path& file) {
  std::error_code none;
  return fs::is_regular_file(file, none) && ::access(file.c_str(), X_OK) == 0;
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (text.find('\n') != std::string::npos)
    throw Error(fmt::format("{}: a name with a line break cannot stand in a list of commands",
                            printable(text)));
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

fs::path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return can_execute(name) ? fs::path(name) : fs::path();
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    if (!folder.empty() && can_execute(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  return {};
}

double default_margin(double limit_seconds) {
  return std::min(std::clamp(limit_seconds / 20, 60.0, 300.0), limit_seconds / 2);
}

double worker_seconds(const WorkOptions& work, const ClusterOptions& cluster) {
  if (cluster.limit_seconds <= 0) return work.seconds;
  const double margin =
      cluster.margin_seconds > 0 ? cluster.margin_seconds : default_margin(cluster.limit_seconds);
  const double until = cluster.limit_seconds - margin;
  if (until <= 0) {
    throw Error(fmt::format("--margin {}: leaves nothing of the time limit of {}",
                            format_duration(margin), format_duration(cluster.limit_seconds)));
  }
  return work.seconds > 0 ? std::min(work.seconds, until) : until;
}

double task_memory_bytes(const std::vector<Job>& jobs, const WorkOptions& work) {
  if (work.memory_bytes > 0) return work.memory_bytes;
  std::vector<double> each;
  for (const Job& job : jobs) {
    if (job.memory_bytes > 0) each.push_back(job.memory_bytes);
  }
  if (each.empty()) return 0;
  std::sort(each.begin(), each.end(), std::greater<>());
  // Jobs of unknown memory (quantization) take about as much as the largest.
  constexpr double kProcessBytes = 256.0 * 1024 * 1024, kRoom = 1.25;
  double bytes = kProcessBytes;
  for (size_t i = 0; i < static_cast<size_t>(work.parallel); ++i)
    bytes += kRoom * (i < each.size() ? each[i] : each.front()) + kProcessBytes / 4;
  return bytes;
}

std::vector<std::string> worker_arguments(const WorkOptions& work, const ClusterOptions& cluster) {
  const WorkOptions usual;
  std::vector<std::string> words{"work", fs::absolute(work.runs).lexically_normal().string(),
                                 "--jobs", std::to_string(work.parallel)};
  const auto add = [&](const char* flag, const std::string& value) {
    words.insert(words.end(), {flag, value});
  };
  if (const double seconds = worker_seconds(work, cluster); seconds > 0)
    add("--for", fmt::format("{:.0f}s", std::max(1.0, seconds)));
  if (work.memory_bytes > 0) add("--memory", fmt::format("{:.0f}", work.memory_bytes));
  if (work.nice != usual.nice) add("--nice", std::to_string(work.nice));
  if (work.order != usual.order) add("--order", name_of(work.order));
  if (work.lease_seconds != usual.lease_seconds)
    add("--lease", fmt::format("{:g}s", work.lease_seconds));
  if (work.tensorboard) words.push_back("--tensorboard");
  return words;
}

std::string worker_line(const WorkOptions& work, const ClusterOptions& cluster) {
  const std::string program =
      cluster.worker.empty() ? shell_word(fs::absolute(work.program).string()) : cluster.worker;
  if (program.find('\n') != std::string::npos) throw Error("--worker: a command has one line");
  std::vector<std::string> words = worker_arguments(work, cluster);
  for (const std::string& word : task_arguments()) words.push_back(word);
  return program + " " + shell_line(words);
}

std::vector<std::string> task_arguments() {
  return {"--idle", "2m", "--left-status", std::to_string(kGoOnStatus)};
}

size_t jobs_left(const std::vector<Job>& jobs, const fs::path& runs) {
  const std::vector<JobOutcome> outcomes = outcomes_so_far(jobs, runs);
  return static_cast<size_t>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [](const JobOutcome& outcome) { return outcome.state == JobState::kWaiting; }));
}

}  // namespace bitlaw
