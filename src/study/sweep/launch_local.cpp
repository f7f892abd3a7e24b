// Jobs as processes of this machine, a few at a time, the longest first.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/text.h"
#include "sweep/launcher.h"
#include "sweep/queue.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

pid_t start_process(const std::vector<std::string>& command, const fs::path& log_path) {
  make_directories(log_path.parent_path());
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0)
    throw Error(fmt::format("{}: cannot be written: {}", log_path.string(), std::strerror(errno)));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    // A group of its own: Ctrl-C reaches the sweep alone, which then asks its jobs to stop. Should
    // the sweep be killed, its jobs are asked by the kernel, so that a second sweep finds no writer
    // left.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int null = ::open("/dev/null", O_RDONLY);
    if (::getppid() != parent || ::dup2(null, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0)
      ::_exit(126);
    ::execvp(arguments[0], arguments.data());
    ::dprintf(2, "%s: cannot be started: %s\n", arguments[0], std::strerror(errno));
    ::_exit(127);
  }
  ::close(log);
  if (pid < 0)
    throw Error(fmt::format("{}: cannot be started: {}", command[0], std::strerror(errno)));
  return pid;
}

std::string last_line(const fs::path& log) {
  std::string text;
  try {
    text = trim(read_file(log));
  } catch (const Error&) {
    return "";
  }
  const size_t begin = text.find_last_of("\n\r");
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

// Of the jobs that are not done when the launch begins.
double total_cost(const std::vector<Job>& jobs, const std::vector<JobOutcome>& outcomes) {
  double total = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].state == JobState::kWaiting) total += jobs[i].cost;
  }
  return total;
}

class LocalLaunch {
 public:
  LocalLaunch(const std::vector<Job>& jobs, const LaunchOptions& options)
      : jobs_(jobs),
        options_(options),
        order_(longest_first(jobs)),
        outcomes_(outcomes_so_far(jobs, options.runs)),
        progress_(options.label, total_cost(jobs, outcomes_), options.quiet) {}

  std::vector<JobOutcome> run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Child {
    pid_t pid;
    size_t job;
  };

  bool stopping() const { return options_.stop != nullptr && options_.stop->load(); }
  bool past_trunk(size_t i) const;
  bool ready(size_t i);
  void start_ready();
  void start(size_t i);
  void ask_to_stop();
  bool collect();
  void end(size_t i, const JobOutcome& outcome);
  void show_progress();

  const std::vector<Job>& jobs_;
  const LaunchOptions& options_;
  const std::vector<size_t> order_;
  std::vector<JobOutcome> outcomes_;
  std::vector<Child> running_;
  double finished_cost_ = 0, running_cost_ = 0;
  Clock::time_point looked_{};  // at the shares of running jobs
  bool asked_ = false;
  Progress progress_;
};

std::vector<JobOutcome> LocalLaunch::run() {
  while (true) {
    if (stopping())
      ask_to_stop();
    else
      start_ready();
    if (running_.empty()) break;
    if (collect()) continue;
    show_progress();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (!stopping()) progress_.finish(fmt::format("{} jobs", jobs_.size()));
  return outcomes_;
}

// A branch may begin, or its trunk has ended without coming there.
bool LocalLaunch::past_trunk(size_t i) const {
  if (jobs_[i].trunk < 0) return true;
  const JobState trunk = outcomes_[static_cast<size_t>(jobs_[i].trunk)].state;
  std::error_code none;
  return (trunk != JobState::kWaiting && trunk != JobState::kRunning) ||
         fs::exists(options_.runs / jobs_[i].trunk_state, none);
}

// Skips a job if what it waits for has failed.
bool LocalLaunch::ready(size_t i) {
  if (outcomes_[i].state != JobState::kWaiting || !past_trunk(i)) return false;
  if (jobs_[i].after < 0) return true;
  const JobState before = outcomes_[static_cast<size_t>(jobs_[i].after)].state;
  if (before == JobState::kFailed || before == JobState::kSkipped)
    end(i, {.state = JobState::kSkipped});
  return before == JobState::kDone;
}

void LocalLaunch::start_ready() {
  for (const size_t i : order_) {
    if (static_cast<int>(running_.size()) >= options_.parallel) break;
    if (ready(i)) start(i);
  }
}

void LocalLaunch::start(size_t i) {
  const Job& job = jobs_[i];
  // What came before may have left nothing to do: a run that diverged is not quantized.
  if (job.after >= 0 && is_done(job, options_.runs)) {
    end(i, {.state = JobState::kDone});
    return;
  }
  try {
    running_.push_back({start_process(job_command(job, options_.runs, options_.program),
                                      job_log(job, options_.runs)),
                        i});
    outcomes_[i].state = JobState::kRunning;
  } catch (const Error& error) {
    end(i, {JobState::kFailed, 127, error.what()});
  }
}

void LocalLaunch::ask_to_stop() {
  if (asked_) return;
  for (const Child& child : running_) ::kill(child.pid, SIGTERM);
  asked_ = true;
}

// Takes up a process that has ended; false if none has.
bool LocalLaunch::collect() {
  int status = 0;
  const pid_t pid = ::waitpid(-1, &status, WNOHANG);
  const auto child = std::find_if(running_.begin(), running_.end(),
                                  [&](const Child& each) { return each.pid == pid; });
  if (pid <= 0 || child == running_.end()) return false;
  const size_t i = child->job;
  running_.erase(child);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code == 0) {
    end(i, {.state = JobState::kDone});
  } else if (stopping()) {
    end(i, {.state = JobState::kWaiting});
  } else {
    end(i, {JobState::kFailed, code, last_line(job_log(jobs_[i], options_.runs))});
  }
  return true;
}

void LocalLaunch::end(size_t i, const JobOutcome& outcome) {
  outcomes_[i] = outcome;
  finished_cost_ += jobs_[i].cost;
}

void LocalLaunch::show_progress() {
  const Clock::time_point now = Clock::now();
  if (now - looked_ > std::chrono::seconds(1)) {
    looked_ = now;
    running_cost_ = 0;
    for (const Child& child : running_)
      running_cost_ += jobs_[child.job].cost * share_done(jobs_[child.job], options_.runs);
  }
  const auto ended =
      std::count_if(outcomes_.begin(), outcomes_.end(), [](const JobOutcome& outcome) {
        return outcome.state != JobState::kWaiting && outcome.state != JobState::kRunning;
      });
  progress_.update(finished_cost_ + running_cost_,
                   fmt::format("{} of {} jobs", ended, jobs_.size()));
}

}  // namespace

Launched launch_local(const std::vector<Job>& jobs, const LaunchOptions& options) {
  return {LocalLaunch(jobs, options).run(), ""};
}

}  // namespace bitlaw
