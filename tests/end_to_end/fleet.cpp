#include "end_to_end/fleet.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

// A worker that comes before the study has begun.
bool came_too_early(const std::string& errors) {
  return errors.find("has no jobs.json") != std::string::npos;
}

}  // namespace

Fleet::Fleet(const Surroundings& around) : around_(around) {
  BITLAW_CHECK(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
}

Fleet::~Fleet() {
  kill_all();
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

void Fleet::add(std::vector<std::string> arguments) {
  members_.push_back(
      {std::move(arguments), folder_.path() / fmt::format("{}.err", members_.size())});
}

void Fleet::start_missing() {
  for (Member& member : members_) {
    if (member.pid > 0) continue;
    fs::remove(member.errors);
    member.pid = start_bitlaw(member.arguments, around_, member.errors);
    member.jobs_killed = 0;
  }
}

bool Fleet::anyone_runs() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.pid > 0; });
}

bool Fleet::kill(size_t index) {
  Member& member = members_[index];
  if (member.pid == 0) return false;
  ::kill(member.pid, SIGKILL);
  ::waitpid(std::exchange(member.pid, 0), nullptr, 0);
  return true;
}

void Fleet::kill_all() {
  // Stopped first, so that none starts another one meanwhile.
  std::vector<pid_t> all;
  do {
    all = descendants_of(::getpid());
    for (const pid_t pid : all) ::kill(pid, SIGSTOP);
  } while (all.size() < descendants_of(::getpid()).size());
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  for (Member& member : members_) member.pid = 0;
  stopped_.clear();
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}

std::vector<pid_t> Fleet::jobs() const {
  std::vector<pid_t> jobs = descendants_of(::getpid());
  std::erase_if(jobs, [&](pid_t pid) {
    return std::any_of(members_.begin(), members_.end(),
                       [&](const Member& member) { return member.pid == pid; });
  });
  return jobs;
}

bool Fleet::kill_job(size_t pick) {
  const std::vector<pid_t> all = jobs();
  if (all.empty()) return false;
  const pid_t job = all[pick % all.size()];
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].pid == 0) continue;
    const std::vector<pid_t> own = descendants_of(members_[i].pid);
    if (std::find(own.begin(), own.end(), job) == own.end()) continue;
    if (++members_[i].jobs_killed > 2) kill(i);
  }
  ::kill(job, SIGKILL);
  return true;
}

bool Fleet::stop(size_t index, bool with_jobs, std::chrono::milliseconds duration) {
  const pid_t member = members_[index].pid;
  if (member == 0) return false;
  std::vector<pid_t> all{member};
  if (with_jobs) {
    for (const pid_t job : descendants_of(member)) all.push_back(job);
  }
  for (const pid_t pid : all) {
    ::kill(pid, SIGSTOP);
    stopped_.push_back({pid, Clock::now() + duration});
  }
  return true;
}

void Fleet::go_on() {
  for (Stopped& stopped : stopped_) stopped.until = Clock::now();
  look();
}

void Fleet::look() {
  std::erase_if(stopped_, [](const Stopped& stopped) {
    if (Clock::now() < stopped.until) return false;
    ::kill(stopped.pid, SIGCONT);
    return true;
  });
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    std::erase_if(stopped_, [&](const Stopped& stopped) { return stopped.pid == pid; });
    for (Member& member : members_) {
      if (member.pid != pid) continue;
      member.pid = 0;
      const std::string errors = read_file(member.errors);
      EXPECT_TRUE(status == 0 || came_too_early(errors))
          << fmt::format("bitlaw {} ended with {}: {}", fmt::join(member.arguments, " "),
                         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), errors);
    }
  }
}

}  // namespace bitlaw
