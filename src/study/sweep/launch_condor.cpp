// RUNS/condor.sub: a submit file for HTCondor whose jobs are workers on a shared file system. A job
// that is evicted starts again and goes on from the saved states; so does one that ends with
// kGoOnStatus because its time is over.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/text.h"
#include "base/version.h"
#include "record/beside_runs.h"
#include "sweep/cluster.h"
#include "sweep/launcher.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSetByUs[] = {"executable",  "arguments", "universe",       "getenv",
                                    "environment", "queue",     "request_cpus",   "initialdir",
                                    "output",      "error",     "on_exit_remove", "max_retries"};

// "request_disk=1GB" as a line of the file.
std::string submit_line(const std::string& option) {
  const size_t equals = option.find('=');
  const std::string name = trim(option.substr(0, std::min(equals, option.size())));
  const auto is_name = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '+' || c == '.';
  };
  const auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (equals == std::string::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), is_name) ||
      std::any_of(option.begin(), option.end(), is_control)) {
    throw Error(fmt::format(
        "--condor-option '{}': expected a line of a submit file, such as request_disk=1GB",
        printable(option)));
  }
  for (const char* taken : kSetByUs) {
    if (name == taken) throw Error(fmt::format("--condor-option {}: is set by this program", name));
  }
  return fmt::format("{} = {}\n", name, trim(option.substr(equals + 1)));
}

// A value of a submit file, in which $ begins a macro.
std::string condor_value(const std::string& text) {
  for (const unsigned char c : text) {
    if (std::iscntrl(c) != 0 || c == '$')
      throw Error(fmt::format(
          "{}: HTCondor takes no $ and no control characters in paths; use another directory "
          "(--runs)",
          printable(text)));
  }
  return text;
}

// Words in HTCondor's new syntax: all of them in ", a word with blanks in ', both doubled inside.
std::string condor_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    std::string text;
    for (const char c : condor_value(word))
      text += c == '"' || c == '\'' ? std::string(2, c) : std::string(1, c);
    const bool plain = !text.empty() && text.find_first_of(" \t'") == std::string::npos;
    out += (out.empty() ? "" : " ") + (plain ? text : "'" + text + "'");
  }
  return "\"" + out + "\"";
}

}  // namespace

std::string condor_script(const std::vector<Job>& jobs, const LaunchOptions& options) {
  const ClusterOptions& cluster = options.cluster;
  const size_t left = jobs_left(jobs, options.runs);
  const size_t tasks =
      std::clamp<size_t>(static_cast<size_t>(cluster.tasks), 1, std::max<size_t>(left, 1));
  std::vector<std::string> words = worker_arguments(options, cluster);
  for (const std::string& word : task_arguments()) words.push_back(word);
  std::string executable = fs::absolute(options.program).string();
  if (!cluster.worker.empty()) {
    executable = "/bin/sh";
    words = {"-c", "exec " + cluster.worker + " " + shell_line(words)};
  }
  std::string out = fmt::format(
      "# Written by bitlaw {}: {} jobs of the study {}. Each job of HTCondor is a worker, which "
      "takes\n"
      "# jobs of the study until none is left. Program, data and runs are on a shared file system, "
      "at\n"
      "# the same paths everywhere. Submit with: condor_submit {}\n",
      kVersion, left, printable(options.label), kCondorFile);
  const auto add = [&](const char* name, const std::string& text) {
    out += fmt::format("{} = {}\n", name, text);
  };
  const std::string logs =
      condor_value((fs::absolute(options.runs).lexically_normal() / kLogsFolder).string());
  add("universe", "vanilla");
  add("executable", condor_value(executable));
  add("arguments", condor_words(words));
  add("initialdir", condor_value(fs::current_path().string()));
  add("should_transfer_files", "NO");
  add("getenv", "False");
  add("request_cpus", std::to_string(options.parallel));
  if (const double bytes = task_memory_bytes(jobs, options); bytes > 0)
    add("request_memory", fmt::format("{:.0f}MB", std::ceil(bytes / (1024 * 1024))));
  out +=
      "# An eviction warns the worker, which saves what runs; the job then starts again "
      "elsewhere.\n";
  add("kill_sig", "SIGTERM");
  add("want_graceful_removal", "True");
  add("job_max_vacate_time",
      fmt::format("{:.0f}", cluster.margin_seconds > 0 ? cluster.margin_seconds : 120));
  out += fmt::format(
      "# Status {}: its time was over, and something is left. A signal: killed, for want of "
      "memory\n"
      "# perhaps; not more than five times.\n",
      kGoOnStatus);
  add("on_exit_remove",
      fmt::format("(ExitBySignal =?= True && NumJobStarts >= 5) || (ExitBySignal =!= True && "
                  "ExitCode =!= {})",
                  kGoOnStatus));
  add("output", logs + "/condor-$(Cluster)_$(Process).out");
  add("error", logs + "/condor-$(Cluster)_$(Process).out");
  add("log", logs + "/condor-$(Cluster).log");
  if (cluster.at_once > 0) add("max_materialize", std::to_string(cluster.at_once));
  for (const std::string& option : cluster.condor_options) out += submit_line(option);
  return out + fmt::format("queue {}\n", tasks);
}

Launched launch_condor(const std::vector<Job>& jobs, const LaunchOptions& options) {
  Launched launched{outcomes_so_far(jobs, options.runs), "nothing is left to run"};
  if (jobs_left(jobs, options.runs) == 0) return launched;
  const fs::path file = options.runs / kCondorFile;
  write_file_atomically(file, condor_script(jobs, options));
  make_directories(options.runs / kLogsFolder);
  launched.note = fmt::format("submit the jobs with: condor_submit {}", shell_word(file.string()));
  return launched;
}

}  // namespace bitlaw
