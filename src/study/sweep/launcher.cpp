#include "sweep/launcher.h"

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
#include <limits>
#include <numeric>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/text.h"

namespace bitlaw {
namespace {

struct Child {
  pid_t pid;
  size_t job;
};

pid_t start_process(const Job& job) {
  make_directories(job.log.parent_path());
  std::vector<char*> arguments;
  for (const std::string& argument : job.command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int log = ::open(job.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0)
    throw Error(fmt::format("{}: cannot be written: {}", job.log.string(), std::strerror(errno)));
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
    throw Error(fmt::format("{}: cannot be started: {}", job.command[0], std::strerror(errno)));
  return pid;
}

std::string last_line(const std::filesystem::path& log) {
  std::string text;
  try {
    text = trim(read_file(log));
  } catch (const Error&) {
    return "";
  }
  const size_t begin = text.find_last_of("\n\r");
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

std::vector<size_t> longest_first(const std::vector<Job>& jobs) {
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return jobs[a].cost > jobs[b].cost; });
  return order;
}

}  // namespace

std::vector<JobOutcome> launch_local(const std::vector<Job>& jobs, const LaunchOptions& options) {
  std::vector<JobOutcome> outcomes(jobs.size());
  double total = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].done && jobs[i].done())
      outcomes[i].state = JobState::kDone;
    else
      total += jobs[i].cost;
  }
  const std::vector<size_t> order = longest_first(jobs);

  Progress progress(options.label, total, options.quiet);
  double finished_cost = 0, running_cost = 0;
  auto looked = std::chrono::steady_clock::time_point{};
  std::vector<Child> running;
  const auto stopping = [&] { return options.stop != nullptr && options.stop->load(); };
  bool told = false;

  const auto ready = [&](size_t i) {
    if (outcomes[i].state != JobState::kWaiting) return false;
    const int before = jobs[i].after;
    if (before < 0) return true;
    const JobState state = outcomes[static_cast<size_t>(before)].state;
    if (state == JobState::kFailed || state == JobState::kSkipped) {
      outcomes[i].state = JobState::kSkipped;
      finished_cost += jobs[i].cost;
    }
    return state == JobState::kDone;
  };

  while (true) {
    if (!stopping()) {
      for (size_t i : order) {
        if (static_cast<int>(running.size()) >= options.parallel) break;
        if (!ready(i)) continue;
        if (jobs[i].after >= 0 && jobs[i].done && jobs[i].done()) {
          outcomes[i].state = JobState::kDone;
          finished_cost += jobs[i].cost;
          continue;
        }
        try {
          running.push_back({start_process(jobs[i]), i});
          outcomes[i].state = JobState::kRunning;
        } catch (const Error& error) {
          outcomes[i] = {JobState::kFailed, 127, error.what()};
          finished_cost += jobs[i].cost;
        }
      }
    } else if (!told) {
      for (const Child& child : running) ::kill(child.pid, SIGTERM);
      told = true;
    }
    if (running.empty()) break;

    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    const auto child =
        std::find_if(running.begin(), running.end(), [&](const Child& c) { return c.pid == pid; });
    const auto now = std::chrono::steady_clock::now();
    if (pid > 0 && child != running.end()) {
      const size_t i = child->job;
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      finished_cost += jobs[i].cost;
      running.erase(child);
      if (code == 0) {
        outcomes[i].state = JobState::kDone;
      } else if (stopping()) {
        outcomes[i].state = JobState::kWaiting;
      } else {
        outcomes[i] = {JobState::kFailed, code, last_line(jobs[i].log)};
      }
    } else {
      if (now - looked > std::chrono::seconds(1)) {
        looked = now;
        running_cost = 0;
        for (const Child& c : running) {
          const Job& job = jobs[c.job];
          if (job.share) running_cost += job.cost * std::clamp(job.share(), 0.0, 1.0);
        }
      }
      const auto done = std::count_if(outcomes.begin(), outcomes.end(), [](const JobOutcome& o) {
        return o.state == JobState::kDone || o.state == JobState::kFailed ||
               o.state == JobState::kSkipped;
      });
      progress.update(finished_cost + running_cost,
                      fmt::format("{} of {} jobs", done, jobs.size()));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  if (!stopping()) progress.finish(fmt::format("{} jobs", jobs.size()));
  return outcomes;
}

double planned_duration(const std::vector<Job>& jobs, int parallel) {
  const std::vector<size_t> order = longest_first(jobs);
  constexpr double kNotStarted = std::numeric_limits<double>::infinity();
  std::vector<double> end(jobs.size(), kNotStarted);  // of each job
  std::vector<double> running;                        // ends of those that run
  double now = 0;
  while (true) {
    for (const size_t i : order) {
      if (static_cast<int>(running.size()) >= parallel) break;
      const bool waits = jobs[i].after >= 0 && end[static_cast<size_t>(jobs[i].after)] > now;
      if (end[i] != kNotStarted || waits) continue;
      end[i] = now + jobs[i].cost;
      running.push_back(end[i]);
    }
    if (running.empty()) return now;
    now = *std::min_element(running.begin(), running.end());
    std::erase_if(running, [&](double each) { return each <= now; });
  }
}

}  // namespace bitlaw
