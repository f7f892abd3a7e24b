// RUNS/slurm.sh: a job array whose tasks are workers, submitted with sbatch where there is one.
//
// Slurm warns a task with SIGUSR1 before its time is over, and the worker knows the limit, too. It
// then saves what runs and stops; if it has brought something forward and something is left, the
// script asks Slurm to run the task again. Nothing else is requeued by it, so nothing goes round in
// circles. What is done is in the records of the runs: a task that is killed, started twice or
// restarted with its node does no harm.

#include <fmt/format.h>
#include <sys/wait.h>

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
#include "work/process.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct TakenOption {
  const char* name;     // of sbatch
  const char* instead;  // of bitlaw
};

constexpr TakenOption kTakenOptions[] = {
    {"array", "--tasks and --at-once"},
    {"cpus-per-task", "--jobs"},
    {"mem", "--memory"},
    {"time", "--time-limit"},
    {"signal", "--margin"},
    {"export", "no flag: tasks need nothing of your environment"},
    {"ntasks", "--tasks"},
    {"chdir", "no flag: a task starts where the sweep was called"},
    {"output", "no flag: logs are in the directory of runs"},
    {"open-mode", "no flag: a task that goes on appends to its log"},
    {"requeue", "no flag: it is set"},
};

// A value in a line of #SBATCH: in quotation marks if need be.
std::string sbatch_value(const std::string& text) {
  for (const unsigned char c : text) {
    if (std::iscntrl(c) != 0 || c == '\'' || c == '"' || c == '\\')
      throw Error(fmt::format(
          "{}: sbatch takes no quotation marks, backslashes or control characters; use another "
          "value, or another directory (--runs)",
          printable(text)));
  }
  return text.find_first_of(" \t#") == std::string::npos ? text : "'" + text + "'";
}

// "partition=short" or "exclusive" as a line of the script.
std::string sbatch_line(const std::string& option) {
  const size_t equals = option.find('=');
  const std::string name = option.substr(0, equals);
  const bool named = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
                     });
  const bool one_line = std::none_of(option.begin(), option.end(),
                                     [](unsigned char c) { return std::iscntrl(c) != 0; });
  if (!named || !one_line || option.ends_with('=')) {
    throw Error(fmt::format(
        "--slurm-option '{}': expected a long option of sbatch without its dashes, such as "
        "partition=short or exclusive",
        printable(option)));
  }
  for (const TakenOption& taken : kTakenOptions) {
    if (name == taken.name)
      throw Error(fmt::format("--slurm-option {}: is set by {}", name, taken.instead));
  }
  if (equals == std::string::npos) return fmt::format("#SBATCH --{}\n", option);
  return fmt::format("#SBATCH --{}={}\n", name, sbatch_value(option.substr(equals + 1)));
}

// In Slurm's file names % begins a placeholder.
std::string without_placeholders(const fs::path& path) {
  std::string out;
  for (const char c : path.string()) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

std::string name_of_job(const std::string& study) {
  std::string name = "bitlaw-";
  for (const unsigned char c : study.substr(0, 40)) name += std::isalnum(c) != 0 ? char(c) : '-';
  return name;
}

// 5400 -> 1:30:00. Slurm counts minutes, and rounds up.
std::string clock_time(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  const std::string day = whole >= 86400 ? fmt::format("{}-", whole / 86400) : "";
  return fmt::format("{}{}:{:02}:{:02}", day, whole % 86400 / 3600, whole % 3600 / 60, whole % 60);
}

std::string slurm_header(const std::vector<Job>& jobs, const LaunchOptions& options, size_t tasks) {
  const ClusterOptions& cluster = options.cluster;
  const fs::path runs = fs::absolute(options.runs).lexically_normal();
  std::string out = "#!/bin/sh\n";
  const auto add = [&](const std::string& option) { out += "#SBATCH --" + option + "\n"; };
  const auto at_once = static_cast<size_t>(cluster.at_once);
  add("job-name=" + name_of_job(options.label));
  add(fmt::format("array=1-{}{}", tasks,
                  at_once > 0 && at_once < tasks ? fmt::format("%{}", at_once) : ""));
  add("ntasks=1");
  add(fmt::format("cpus-per-task={}", options.parallel));
  if (const double bytes = task_memory_bytes(jobs, options); bytes > 0)
    add(fmt::format("mem={:.0f}M", std::ceil(bytes / (1024 * 1024))));
  double margin = cluster.margin_seconds > 0 ? cluster.margin_seconds : 120;
  if (cluster.limit_seconds > 0) {
    add("time=" + clock_time(cluster.limit_seconds));
    margin = cluster.limit_seconds - worker_seconds({}, cluster);
  }
  add(fmt::format("signal=B:USR1@{:.0f}", std::ceil(margin)));
  add("requeue");
  add("open-mode=append");
  add("chdir=" + sbatch_value(fs::current_path().string()));
  add("output=" + sbatch_value(without_placeholders(runs / kLogsFolder) + "/slurm-%A_%a.out"));
  add("export=NONE");
  for (const std::string& option : cluster.slurm_options) out += sbatch_line(option);
  return out;
}

}  // namespace

std::string slurm_script(const std::vector<Job>& jobs, const LaunchOptions& options) {
  const size_t left = jobs_left(jobs, options.runs);
  const size_t tasks =
      std::clamp<size_t>(static_cast<size_t>(options.cluster.tasks), 1, std::max<size_t>(left, 1));
  return slurm_header(jobs, options, tasks) +
         fmt::format(R"(
# Written by bitlaw {version}: {left} jobs of the study {study}. Each task is a worker, which takes jobs
# until none is left, so `sbatch` may be called on this file at any time and as often as you like.
# Tasks get nothing of the environment of whoever submits them (export=NONE). The program, the data
# and the runs must have the same paths on every node.

worker= cancelled=
stop() {{ [ -z "$worker" ] || kill -USR1 "$worker" 2>/dev/null; }}  # save what runs, and end
trap stop USR1
trap 'cancelled=yes; stop' TERM

{worker} &
worker=$!
while :; do
  wait "$worker"
  status=$?
  kill -0 "$worker" 2>/dev/null || break  # otherwise a trap has ended `wait`
done

# Stopped before its time was over, with something done and something left: this task goes on later.
if [ "$status" -eq {go_on} ] && [ -z "$cancelled" ]; then
  # Not SLURM_JOB_ID: of one of the tasks that is the number of the whole array.
  if scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"; then
    sleep 60  # in which Slurm ends this script
  else
    echo "not requeued; sbatch on this script goes on with what is left"
  fi
fi
exit "$status"
)",
                     fmt::arg("version", kVersion), fmt::arg("left", left),
                     fmt::arg("study", printable(options.label)), fmt::arg("go_on", kGoOnStatus),
                     fmt::arg("worker", worker_line(options, options.cluster)));
}

namespace {

// What `command` printed; Error, with that, unless it succeeded.
std::string output_of(const std::vector<std::string>& command, const fs::path& log) {
  const pid_t pid = start_process(command, {.log = log});
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string output = trim(read_file(log));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  throw Error(fmt::format("{}: {}", command[0], last_line(log)));
}

}  // namespace

Launched launch_slurm(const std::vector<Job>& jobs, const LaunchOptions& options) {
  Launched launched{outcomes_so_far(jobs, options.runs), "nothing is left to run"};
  const size_t left = jobs_left(jobs, options.runs);
  if (left == 0) return launched;
  const fs::path file = options.runs / kSlurmFile;
  const fs::path logs = options.runs / kLogsFolder;
  write_file_atomically(file, slurm_script(jobs, options));
  make_directories(logs);
  const fs::path sbatch = find_program("sbatch");
  if (sbatch.empty()) {
    throw Error(fmt::format(
        "sbatch was not found, so nothing was submitted: call `sbatch {}` where Slurm is, or use "
        "another --launcher",
        shell_word(file.string())));
  }
  // On the command line, an option wins over SBATCH_EXPORT of the user.
  const std::string said = output_of(
      {sbatch.string(), "--parsable", "--export=NONE", file.string()}, logs / "slurm-submit.log");
  const std::string job = said.substr(0, said.find(';'));
  launched.note = fmt::format(
      "submitted to Slurm as job {0}: {1} jobs of the study ({2})\n"
      "watch them with the same command and --status, or with squeue --job {0}; logs: {3}",
      job, left, file.string(), (logs / ("slurm-" + job + "_*.out")).string());
  return launched;
}

}  // namespace bitlaw
