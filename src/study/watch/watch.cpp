#include "watch/watch.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/error.h"
#include "laws/registry.h"
#include "runs/index_file.h"
#include "runs/run_table.h"
#include "watch/informative.h"
#include "watch/quiet_thread.h"

namespace bitlaw {
namespace {

constexpr double kRestPerWork = 100;
constexpr std::chrono::seconds kLastLook{1};  // is not waited for any longer at the end

}  // namespace

// All that only the thread knows.
struct Watch::Reading {
  RunTable table;
  std::vector<TidyRow> planned;  // of the jobs; empty: not known yet
};

Watch::Watch(WatchOptions options) : options_(std::move(options)) {}

Watch::~Watch() {
  stop();
}

void Watch::begin(const std::vector<Job>& jobs, const std::filesystem::path& runs,
                  const std::filesystem::path& directory) {
  stop();
  jobs_ = jobs;
  runs_ = runs;
  directory_ = directory;
  stopping_ = last_ = finished_ = has_looked_ = false;
  ended_ = 0;
  first_.clear();
  thread_ = std::thread([this] { read_results(); });
}

void Watch::ended(size_t jobs) {
  const std::lock_guard lock(mutex_);
  if (jobs == ended_) return;
  ended_ = jobs;
  wake_.notify_all();
}

std::string Watch::line() {
  const std::optional<LawSoFar> now = law();
  return now ? text_of(*now) : "";
}

std::vector<size_t> Watch::first() {
  const std::lock_guard lock(mutex_);
  return first_;
}

std::optional<LawSoFar> Watch::law() {
  const std::lock_guard lock(mutex_);
  return law_;
}

void Watch::finish() {
  {
    std::unique_lock lock(mutex_);
    last_ = true;
    wake_.notify_all();
    if (thread_.joinable()) wake_.wait_for(lock, kLastLook, [&] { return finished_; });
  }
  stop();
}

void Watch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Watch::read_results() {
  lower_thread_priority(19);
  Reading reading;
  reading.table = RunTable(IndexFile(runs_).read());
  size_t seen = 0;
  double rest = 0;
  const auto wanted = [&] { return stopping_ || last_; };
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, std::chrono::duration<double>(rest), wanted);
    wake_.wait(lock, [&] { return wanted() || ended_ != seen || !has_looked_; });
    if (last_ && ended_ == seen && has_looked_) break;
    const bool is_last = last_;
    seen = ended_;
    lock.unlock();
    const double start = thread_seconds();
    try {
      look(reading);
    } catch (const std::exception&) {  // the next look may see more
    }
    rest = kRestPerWork * (thread_seconds() - start);
    lock.lock();
    has_looked_ = true;
    if (is_last) break;
  }
  finished_ = true;
  wake_.notify_all();
}

void Watch::look(Reading& reading) {
  const std::string name = options_.law.empty() ? default_law().name : options_.law;
  reading.table.update(runs_, 1, &stopping_);
  const std::vector<TidyRow> rows = reading.table.rows(Along::kLeaveOut);
  const ParallelFor until_stopped = [this](int64_t count, const auto& task) {
    for (int64_t i = 0; i < count; ++i) {
      if (stopping_) throw Error("stopped");
      task(i);
    }
  };
  std::optional<LawSoFar> law = law_so_far(rows, name, until_stopped);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    const bool nothing_new = law && law_ && law->runs == law_->runs;
    if (law && law_ && !nothing_new) compare(*law, *law_);
    if (!nothing_new) law_ = law;
  }
  if (!options_.order) return;
  if (reading.planned.empty()) reading.planned = planned_rows(jobs_, directory_);
  std::vector<size_t> first = most_informative(jobs_, reading.planned, rows, name, until_stopped);
  const std::lock_guard lock(mutex_);
  first_ = std::move(first);
}

}  // namespace bitlaw
