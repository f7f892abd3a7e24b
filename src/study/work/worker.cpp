#include "work/worker.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/temporary.h"
#include "base/text.h"
#include "base/time.h"
#include "base/version.h"
#include "record/beside_runs.h"
#include "record/leftovers.h"
#include "train/engines.h"
#include "train/interrupt.h"
#include "work/claim.h"
#include "work/failure.h"
#include "work/live.h"
#include "work/process.h"
#include "work/queue.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kMostAttempts = 3;    // of a job that is killed
constexpr double kLookSeconds = 1;  // between two looks at a job that runs elsewhere

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Measuring the speed leaves nothing to share.
bool is_shared(const Job& job) {
  return job.kind != JobKind::kMeasure;
}

double total_cost(const std::vector<Job>& jobs, const std::vector<JobOutcome>& outcomes) {
  double total = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].state == JobState::kWaiting) total += jobs[i].cost;
  }
  return total;
}

std::string killed_sentence(int signal, int attempts) {
  return fmt::format("ended by signal {} ({}){}{}", signal, ::strsignal(signal),
                     attempts > 1 ? fmt::format(", {} times", attempts) : "",
                     signal == SIGKILL ? "; was there not enough memory?" : "");
}

class Worker {
 public:
  Worker(const std::vector<Job>& jobs, const WorkOptions& options)
      : jobs_(jobs),
        options_(options),
        order_(order_of(jobs, options.order)),
        outcomes_(outcomes_so_far(jobs, options.runs)),
        later_(jobs.size(), 0),
        attempts_(jobs.size(), 0),
        claims_(options.runs / kClaimsFolder, options.lease_seconds),
        live_(options.label, total_cost(jobs, outcomes_), options.quiet) {}

  Worked run();

 private:
  struct Child {
    pid_t pid = 0;
    size_t job = 0;
    std::optional<Claim> claim;  // none of a job that is not shared
    std::string saved;           // saved_state() when it started
    bool lost = false;           // the claim: another worker has the job
    Clock::time_point begin = Clock::now();
  };

  bool stopping() const {
    return !trouble_.empty() || (options_.stop != nullptr && options_.stop->load()) || time_over();
  }
  bool time_over() const {
    return options_.seconds > 0 && seconds_since(begin_) >= options_.seconds;
  }
  bool anything_left() const;
  bool idle() const;
  bool needs_other_engine(size_t i) const;
  bool waits_for_other_engine(size_t i) const;
  std::string other_engine_note() const;
  bool past_trunk(size_t i) const;
  bool fits(size_t i) const;
  bool ready(size_t i);
  void start_ready();
  void start(size_t i);
  bool claim(size_t i, std::optional<Claim>& claim);
  void ask_to_stop();
  void beat();
  bool collect();
  void end_child(Child child, int status);
  void failed(size_t i, int code, const std::string& message);
  void end(size_t i, const JobOutcome& outcome);
  void end_elsewhere(size_t i, const JobOutcome& outcome);
  void tidy_up();
  void take_leavings(size_t i);
  void look_elsewhere();
  void ask_advisor();
  LiveState state() const;
  void show_progress();
  void pause() const;

  const std::vector<Job>& jobs_;
  const WorkOptions& options_;
  const std::vector<size_t> order_;  // as asked for
  std::vector<size_t> first_;        // as the advisor says
  std::vector<size_t> now_ = order_;
  std::vector<JobOutcome> outcomes_;
  std::vector<double> later_;  // seconds after the beginning before which a job is not looked at
  std::vector<int> attempts_;
  Claims claims_;
  std::vector<Child> running_;
  double finished_cost_ = 0, running_cost_ = 0;
  size_t next_look_ = 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point looked_{}, shown_{}, beaten_ = begin_;
  Clock::time_point busy_ = begin_;  // when a process of this worker was last there
  bool asked_ = false, begun_ = false, advanced_ = false;
  std::string trouble_;            // why no job can go on
  std::vector<std::string> last_;  // what ended last
  LiveTable live_;
};

Worked Worker::run() {
  tidy_up();
  if (options_.advisor != nullptr)
    options_.advisor->begin(jobs_, options_.runs,
                            options_.directory.empty() ? fs::current_path() : options_.directory);
  while (true) {
    if (stopping())
      ask_to_stop();
    else
      start_ready();
    beat();
    if (running_.empty() && (stopping() || !anything_left() || idle())) break;
    if (!running_.empty()) busy_ = Clock::now();
    if (collect()) continue;
    look_elsewhere();
    show_progress();
    pause();
  }
  if (options_.advisor != nullptr) {
    ask_advisor();
    options_.advisor->finish();
    live_.show_law(options_.advisor->line(), true);
  }
  if (!stopping() && !anything_left()) live_.finish(fmt::format("{} jobs", jobs_.size()), state());
  return {outcomes_, trouble_, other_engine_note(), time_over(), begun_, advanced_};
}

void Worker::pause() const {
  std::this_thread::sleep_for(std::chrono::milliseconds(running_.empty() ? 200 : 20));
}

bool Worker::anything_left() const {
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const JobState state = outcomes_[i].state;
    if (state == JobState::kWaiting && !waits_for_other_engine(i)) return true;
    if (state == JobState::kRunning && options_.wait_for_others) return true;
  }
  return false;
}

// Its run was begun by an engine that this machine does not have: left to workers that have it.
bool Worker::needs_other_engine(size_t i) const {
  return outcomes_[i].state == JobState::kWaiting && std::isinf(later_[i]);
}

// Or what it waits for does.
bool Worker::waits_for_other_engine(size_t i) const {
  return needs_other_engine(i) ||
         (jobs_[i].after >= 0 && needs_other_engine(static_cast<size_t>(jobs_[i].after))) ||
         (jobs_[i].trunk >= 0 && needs_other_engine(static_cast<size_t>(jobs_[i].trunk)));
}

std::string Worker::other_engine_note() const {
  size_t count = 0, first = 0;
  for (size_t i = jobs_.size(); i-- > 0;) {
    if (!needs_other_engine(i)) continue;
    ++count;
    first = i;
  }
  if (count == 0) return "";
  return fmt::format("{} of {} jobs can go on only where they were begun: {}", count, jobs_.size(),
                     outcomes_[first].message);
}

bool Worker::idle() const {
  return options_.idle_seconds > 0 && seconds_since(busy_) >= options_.idle_seconds;
}

// A branch may begin, or its trunk has ended without coming there.
bool Worker::past_trunk(size_t i) const {
  if (jobs_[i].trunk < 0) return true;
  const JobState trunk = outcomes_[static_cast<size_t>(jobs_[i].trunk)].state;
  std::error_code none;
  return (trunk != JobState::kWaiting && trunk != JobState::kRunning) ||
         fs::exists(options_.runs / jobs_[i].trunk_state, none);
}

// A job that is larger than the budget runs alone.
bool Worker::fits(size_t i) const {
  if (options_.memory_bytes <= 0 || running_.empty()) return true;
  double used = jobs_[i].memory_bytes;
  for (const Child& child : running_) used += jobs_[child.job].memory_bytes;
  return used <= options_.memory_bytes;
}

// Skips a job if what it waits for has failed.
bool Worker::ready(size_t i) {
  const JobState state = outcomes_[i].state;
  const bool elsewhere =
      state == JobState::kRunning &&
      std::none_of(running_.begin(), running_.end(), [&](const Child& c) { return c.job == i; });
  if ((state != JobState::kWaiting && !elsewhere) || seconds_since(begin_) < later_[i])
    return false;
  if (jobs_[i].after >= 0) {
    const JobState before = outcomes_[static_cast<size_t>(jobs_[i].after)].state;
    if (before == JobState::kFailed || before == JobState::kSkipped)
      end(i, {.state = JobState::kSkipped});
    if (before != JobState::kDone) return false;
  }
  if (past_trunk(i)) return fits(i);
  later_[i] = seconds_since(begin_) + 0.1;
  return false;
}

void Worker::start_ready() {
  for (const size_t i : now_) {
    if (static_cast<int>(running_.size()) >= options_.parallel || !trouble_.empty()) break;
    if (ready(i)) start(i);
  }
}

// False if there is nothing to start: the job has ended, or is another worker's.
bool Worker::claim(size_t i, std::optional<Claim>& claim) {
  const auto ended = [&] {
    const JobOutcome so_far = outcome_so_far(jobs_[i], options_.runs);
    if (so_far.state == JobState::kWaiting) return false;
    end_elsewhere(i, so_far);
    return true;
  };
  if (ended()) return false;
  const std::string key = job_key(jobs_[i]);
  claim = claims_.take(key);
  if (!claim) {
    const std::optional<Claimant> holder = claims_.holder(key);
    outcomes_[i] = {JobState::kRunning, 0, holder ? text_of(holder->process) : ""};
    later_[i] = seconds_since(begin_) + kLookSeconds;
    return false;
  }
  if (!ended()) return true;  // since the first look
  claim->release();
  return false;
}

void Worker::start(size_t i) {
  const Job& job = jobs_[i];
  std::optional<Claim> claimed;
  try {
    if (is_shared(job) && !claim(i, claimed)) return;
  } catch (const Error& error) {
    trouble_ = error.what();
    return;
  }
  std::string saved = saved_state(job, options_.runs);
  try {
    std::vector<std::string> command = job_command(job, options_.runs, options_.program);
    if (options_.tensorboard && job.kind == JobKind::kTrain) command.push_back("--tensorboard");
    const pid_t pid = start_process(command, {.log = job_log(job, options_.runs),
                                              .directory = options_.directory,
                                              .nice = options_.nice});
    running_.push_back(
        {.pid = pid, .job = i, .claim = std::move(claimed), .saved = std::move(saved)});
    begun_ = true;
    outcomes_[i] = {.state = JobState::kRunning};
  } catch (const Error& error) {
    if (claimed) claimed->release();
    if (is_about_the_disk(error.what()))
      trouble_ = error.what();
    else
      failed(i, 127, error.what());
  }
}

void Worker::ask_to_stop() {
  if (asked_) return;
  for (const Child& child : running_) ::kill(child.pid, SIGTERM);
  asked_ = true;
}

// A job whose claim is lost is another worker's: what it still does here must not be written.
void Worker::beat() {
  if (seconds_since(beaten_) < options_.lease_seconds / 6) return;
  beaten_ = Clock::now();
  for (Child& child : running_) {
    if (!child.claim || child.lost) continue;
    try {
      child.lost = !child.claim->beat();
    } catch (const Error& error) {
      trouble_ = error.what();
    }
    if (child.lost) ::kill(-child.pid, SIGKILL);
  }
}

// Takes up a process that has ended; false if none has.
bool Worker::collect() {
  for (size_t k = 0; k < running_.size(); ++k) {
    int status = 0;
    if (::waitpid(running_[k].pid, &status, WNOHANG) <= 0) continue;
    Child child = std::move(running_[k]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(k));
    end_child(std::move(child), status);
    return true;
  }
  return false;
}

void Worker::end_child(Child child, int status) {
  const size_t i = child.job;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = signal > 0 ? 128 + signal : WEXITSTATUS(status);
  const std::string message = last_line(job_log(jobs_[i], options_.runs));
  child.lost = child.lost || (child.claim && child.claim->lost());
  // Whatever became of the process: it may have been killed, or unable to print, after its result.
  const bool done = code == 0 || outcome_so_far(jobs_[i], options_.runs).state == JobState::kDone;
  const auto remember = [&](const std::string& what) {
    last_.push_back(fmt::format("{} {} after {}", jobs_[i].name, what,
                                format_duration(seconds_since(child.begin))));
    if (last_.size() > 3) last_.erase(last_.begin());
  };
  const bool killed = signal == SIGKILL || signal == SIGTERM || signal == SIGHUP ||
                      signal == SIGINT || code == kInterruptedExitCode;
  if (code == 0 || saved_state(jobs_[i], options_.runs) != child.saved) advanced_ = true;
  if (child.lost) {
    outcomes_[i] = {.state = JobState::kRunning};
  } else if (done) {
    if (code != 0) remove_leftovers_of_run(options_.runs / jobs_[i].run);
    forget_failure(jobs_[i], options_.runs);
    end(i, {.state = JobState::kDone});
    remember("done");
  } else if (stopping()) {
    outcomes_[i] = {.state = JobState::kWaiting};
  } else if (code == kBusyExitCode) {
    outcomes_[i] = {.state = JobState::kWaiting};
    later_[i] = seconds_since(begin_) + kLookSeconds;
  } else if (code == kOtherEngineExitCode) {
    outcomes_[i] = {.state = JobState::kWaiting, .message = message};
    later_[i] = std::numeric_limits<double>::infinity();
  } else if (is_about_the_disk(message)) {
    outcomes_[i] = {.state = JobState::kWaiting};
    trouble_ = message;
  } else if (killed && ++attempts_[i] < kMostAttempts) {
    outcomes_[i] = {.state = JobState::kWaiting};
    later_[i] = seconds_since(begin_) + kLookSeconds;
  } else {
    failed(i, code, signal > 0 ? killed_sentence(signal, attempts_[i]) : message);
    remember("failed");
  }
  if (child.claim && !child.lost) child.claim->release();
}

void Worker::failed(size_t i, int code, const std::string& message) {
  end(i, {JobState::kFailed, code, message});
  const Job& job = jobs_[i];
  if (!is_shared(job)) return;
  try {
    write_failure(job, options_.runs,
                  {.job = job.name,
                   .exit_code = code,
                   .message = message,
                   .log = fs::relative(job_log(job, options_.runs), options_.runs).string(),
                   .host = own_identity().host,
                   .time = now_iso(),
                   .program = kVersion,
                   .attempts = std::max(1, attempts_[i])});
  } catch (const Error& error) {
    trouble_ = error.what();
  }
}

void Worker::end(size_t i, const JobOutcome& outcome) {
  outcomes_[i] = outcome;
  finished_cost_ += jobs_[i].cost;
}

void Worker::end_elsewhere(size_t i, const JobOutcome& outcome) {
  end(i, outcome);
  take_leavings(i);
}

// What workers that were killed have left.
void Worker::tidy_up() {
  for (const char* place : {"", kConfigurationsFolder, kClaimsFolder, kFailuresFolder})
    remove_old_temporaries(options_.runs / place, Owner::kBitlaw);
  const std::set<std::string> keys = claims_.keys();
  if (keys.empty()) return;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (outcomes_[i].state != JobState::kWaiting && keys.count(job_key(jobs_[i])) > 0)
      take_leavings(i);
  }
}

// Of a job that has ended: the claim of a worker that is gone, and what its process has left.
void Worker::take_leavings(size_t i) {
  if (!is_shared(jobs_[i])) return;
  try {
    std::optional<Claim> claim = claims_.take_over(job_key(jobs_[i]));
    if (!claim) return;
    remove_leftovers_of_run(options_.runs / jobs_[i].run);
    claim->release();
  } catch (const Error&) {  // nothing depends on it
  }
}

// What other workers have finished, a few jobs at a time.
void Worker::look_elsewhere() {
  const Clock::time_point now = Clock::now();
  if (now - looked_ < std::chrono::seconds(1)) return;
  looked_ = now;
  constexpr size_t kAtATime = 200;
  for (size_t n = 0; n < std::min(kAtATime, jobs_.size()); ++n) {
    const size_t i = next_look_++ % jobs_.size();
    if (outcomes_[i].state != JobState::kWaiting || !is_shared(jobs_[i])) continue;
    const JobOutcome so_far = outcome_so_far(jobs_[i], options_.runs);
    if (so_far.state != JobState::kWaiting) end_elsewhere(i, so_far);
  }
  running_cost_ = 0;
  for (const Child& child : running_)
    running_cost_ += jobs_[child.job].cost * share_done(jobs_[child.job], options_.runs);
}

void Worker::ask_advisor() {
  if (options_.advisor == nullptr) return;
  options_.advisor->ended(static_cast<size_t>(
      std::count_if(outcomes_.begin(), outcomes_.end(), [](const JobOutcome& outcome) {
        return outcome.state != JobState::kWaiting && outcome.state != JobState::kRunning;
      })));
  live_.show_law(options_.advisor->line(), false);
  if (options_.order != JobOrder::kInformative) return;
  std::vector<size_t> first = options_.advisor->first();
  if (first == first_) return;
  first_ = std::move(first);
  now_ = with_first(jobs_, first_, order_);
}

void Worker::show_progress() {
  const Clock::time_point now = Clock::now();
  if (now - shown_ < std::chrono::milliseconds(500)) return;
  shown_ = now;
  ask_advisor();
  live_.show(state());
}

LiveState Worker::state() const {
  const auto count = [&](JobState state) {
    return static_cast<size_t>(
        std::count_if(outcomes_.begin(), outcomes_.end(),
                      [&](const JobOutcome& outcome) { return outcome.state == state; }));
  };
  LiveState state{.jobs = jobs_.size(),
                  .done = count(JobState::kDone),
                  .running_elsewhere = count(JobState::kRunning) - running_.size(),
                  .failed = count(JobState::kFailed),
                  .cost_done = finished_cost_ + running_cost_,
                  .last = last_};
  for (const Child& child : running_) {
    state.running.push_back({.name = jobs_[child.job].name,
                             .seconds = seconds_since(child.begin),
                             .pace = pace_of(jobs_[child.job], options_.runs)});
  }
  return state;
}

}  // namespace

Worked work(const std::vector<Job>& jobs, const WorkOptions& options) {
  return Worker(jobs, options).run();
}

}  // namespace bitlaw
