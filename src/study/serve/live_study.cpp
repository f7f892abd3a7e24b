#include "serve/live_study.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_struct.h"
#include "record/beside_runs.h"
#include "record/result.h"
#include "record/run.h"
#include "runs/index_file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostListed = 20;      // failures and problems
constexpr double kQuietSeconds = 60;    // without a new line of its log, nobody trains a run
constexpr double kWindowSeconds = 600;  // that the speed is measured over
constexpr double kShortestWindow = 20;

const std::string kRunning = "running";

struct FileTime {
  bool exists = false;
  int64_t changed = 0, size = 0, inode = 0;
};

FileTime time_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {true, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_size,
          static_cast<int64_t>(status.st_ino)};
}

double seconds_since(int64_t changed) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) - static_cast<double>(changed) * 1e-9;
}

// null where there is none: JSON has no NaN.
Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
Json number_or_null(const std::optional<int64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

bool has_ended(const std::string& status) {
  return status == name_of(RunStatus::kFinished) || status == name_of(RunStatus::kDiverged);
}

}  // namespace

LiveStudy::LiveStudy(fs::path runs, std::string name, std::string key)
    : runs_(std::move(runs)),
      name_(std::move(name)),
      key_(std::move(key)),
      table_(IndexFile(runs_).read()),
      claims_(runs_ / kClaimsFolder, 60) {}

std::optional<fs::path> LiveStudy::directory_of(const std::string& id) const {
  const auto found = directory_of_.find(id);
  if (found == directory_of_.end()) return std::nullopt;
  return runs_ / found->second;
}

void LiveStudy::look_at_jobs() {
  const FileTime time = time_of(runs_ / kJobsFile);
  const std::string state =
      fmt::format("{} {} {} {}", time.exists, time.changed, time.size, time.inode);
  if (state == jobs_state_) return;
  jobs_state_ = state;
  jobs_.reset();
  job_of_run_.clear();
  names_.clear();
  quantized_.clear();
  samples_.clear();
  if (!time.exists) return;
  jobs_ = read_study_jobs(runs_);
  for (size_t i = 0; i < jobs_->jobs.size(); ++i) {
    names_[job_key(jobs_->jobs[i])] = jobs_->jobs[i].name;
    if (jobs_->jobs[i].kind == JobKind::kTrain) job_of_run_[jobs_->jobs[i].run] = i;
  }
}

void LiveStudy::look_at_claims() {
  held_.clear();
  for (const std::string& key : claims_.keys()) {
    if (const auto holder = claims_.holder(key)) held_[key] = *holder;
  }
}

void LiveStudy::look_at_failures() {
  std::set<std::string> there;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_ / kFailuresFolder, none)) {
    if (entry.path().extension() != ".json") continue;
    const std::string key = entry.path().stem().string();
    const int64_t changed = time_of(entry.path()).changed;
    there.insert(key);
    const auto known = failures_.find(key);
    if (known != failures_.end() && known->second.first == changed) continue;
    Failure failure{.job = key, .message = "its file of failures is damaged"};
    try {
      failure = struct_from_json<Failure>(parse_json(read_file(entry.path()), key), key);
    } catch (const Error&) {  // that is what it says then
    }
    failures_[key] = {changed, failure};
  }
  std::erase_if(failures_, [&](const auto& each) { return !there.contains(each.first); });
}

// finished, diverged, damaged, failed, running or interrupted.
std::string LiveStudy::status_of(const TableRun& run, const std::string& key) {
  if (run.read.rows.empty()) return "damaged";
  const std::string& status = run.read.rows[0].status;
  if (has_ended(status)) return status;
  if (held_.contains(key)) return kRunning;
  if (failures_.contains(key)) return "failed";
  const FileTime log = time_of(runs_ / run.directory / "metrics.jsonl");
  return log.exists && seconds_since(log.changed) < kQuietSeconds ? kRunning : "interrupted";
}

std::string LiveStudy::row_text(const TableRun& run, const std::string& id,
                                const std::string& status) {
  Json out{{"id", id}, {"study", key_}, {"run", run.directory}, {"status", status}};
  const auto job = job_of_run_.find(run.directory);
  if (job != job_of_run_.end()) out["label"] = jobs_->jobs[job->second].name;
  if (const auto failure = failures_.find(run.directory); failure != failures_.end())
    out["detail"] = failure->second.second.message;
  if (run.read.rows.empty()) {
    if (!run.read.problems.empty()) out["detail"] = run.read.problems[0];
    return dump_json(out);
  }
  const TidyRow& row = run.read.rows[0];
  out["N"] = number_or_null(row.N);
  out["D"] = number_or_null(row.D);
  out["P_w"] = number_or_null(row.P_w);
  out["P_a"] = number_or_null(row.P_a);
  out["P_kv"] = number_or_null(row.P_kv);
  out["seed"] = number_or_null(row.seed);
  out["lr"] = number_or_null(row.lr);
  out["loss"] = number_or_null(row.loss);
  out["train_loss"] = number_or_null(row.train_loss);
  out["tokens_per_second"] = number_or_null(row.tokens_per_second);
  out["cells"] = std::count_if(run.read.rows.begin(), run.read.rows.end(),
                               [](const TidyRow& each) { return !each.is_run(); });
  out["share"] = has_ended(status) ? Json(1) : Json(nullptr);
  const auto pace = paces_.find(run.directory);
  if (pace != paces_.end()) {
    out["share"] = number_or_null(pace->second.share);
    out["train_loss"] = number_or_null(pace->second.loss_nats);
    out["tokens_per_second"] = number_or_null(pace->second.tokens_per_second);
  }
  return dump_json(out);
}

// Whether all its cells are there, which takes reading them: once for each state of the run.
bool LiveStudy::is_quantized(const Job& job) {
  const auto made = made_of_.find(job.run);
  const std::string state = made == made_of_.end() ? "" : made->second.first;
  auto& [known, is] = quantized_[job_key(job)];
  if (!state.empty() && known == state) return is;
  try {
    is = is_done(job, runs_);
  } catch (const std::exception&) {
    is = false;  // the run itself is listed as damaged
  }
  known = state;
  return is;
}

LiveStudy::Changes LiveStudy::look(double now) {
  Changes changes;
  std::string summary;
  try {
    trouble_.clear();
    look_at_jobs();
    look_at_claims();
    look_at_failures();
    const RunTable::Changes read = table_.update(runs_, 1);
    // What the index knew is no change, but new here.
    changes.results = read.rows || !has_looked_;
    has_looked_ = true;
    if (changes.results)
      results_ = std::make_shared<const std::vector<TidyRow>>(table_.rows(Along::kLeaveOut));
  } catch (const std::exception& error) {  // also of a folder that vanishes meanwhile
    trouble_ = error.what();
  }
  std::set<std::string> there;
  paces_.clear();
  for (const TableRun& run : table_.runs()) {
    const std::string& directory = run.directory;
    there.insert(directory);
    const std::string status = status_of(run, directory);
    statuses_[directory] = status;
    const auto made = made_of_.find(directory);
    if (status != kRunning && made != made_of_.end() && !run.state.empty() &&
        made->second == std::pair(run.state, status))
      continue;
    if (status == kRunning) {
      Job job{.run = directory, .tokens = run.read.rows[0].D.value_or(0)};
      const auto planned = job_of_run_.find(directory);
      if (planned != job_of_run_.end()) job = jobs_->jobs[planned->second];
      if (const auto pace = pace_of(job, runs_)) paces_[directory] = *pace;
    }
    made_of_[directory] = {run.state, status};
    Shown& shown = shown_[directory];
    if (shown.id.empty()) {
      shown.id = hash_hex(runs_.string() + "/" + directory).substr(0, 16);
      directory_of_[shown.id] = directory;
    }
    std::string text = row_text(run, shown.id, status);
    if (text == shown.text) continue;
    shown.text = std::move(text);
    shown.row = run.read.rows.empty() ? TidyRow{} : run.read.rows[0];
    changes.rows.push_back(shown.text);
  }
  for (auto each = shown_.begin(); each != shown_.end();) {
    if (there.contains(each->first)) {
      ++each;
      continue;
    }
    changes.gone.push_back(each->second.id);
    directory_of_.erase(each->second.id);
    made_of_.erase(each->first);
    statuses_.erase(each->first);
    each = shown_.erase(each);
  }
  summary = summary_text(now);
  changes.summary = summary != summary_;
  summary_ = std::move(summary);
  return changes;
}

void LiveStudy::sample(double now) {
  while (!samples_.empty() && samples_.front().first < now - kWindowSeconds) samples_.pop_front();
  if (samples_.empty() || now - samples_.back().first >= 5) samples_.emplace_back(now, cost_done_);
}

std::string LiveStudy::summary_text(double now) {
  std::map<std::string, int64_t> cells;
  Json out{{"key", key_},
           {"name", jobs_ ? jobs_->study : name_},
           {"runs", shown_.size()},
           {"directory", name_}};
  Json problems = Json::array();
  if (!trouble_.empty()) problems.push_back(trouble_);
  std::vector<std::string> damaged = table_.problems(Along::kLeaveOut);
  for (const std::string& each : damaged) {
    if (problems.size() < kMostListed) problems.push_back(each);
  }
  out["problems"] = problems;
  out["problems_in_all"] = damaged.size() + (trouble_.empty() ? 0 : 1);
  if (!jobs_) {
    for (const auto& [directory, status] : statuses_) ++cells[status];
    out["jobs"] = nullptr;
    out["quantized"] = nullptr;
    out["seconds_left"] = nullptr;
  } else {
    int64_t done = 0, failed = 0, quantize = 0, quantized = 0;
    cost_ = cost_done_ = 0;
    bool runs_here = false;
    for (const Job& job : jobs_->jobs) {
      const std::string key = job_key(job);
      const auto status = statuses_.find(job.run);
      bool is_done = false;
      double share = 0;
      if (job.kind == JobKind::kTrain) {
        std::string state = status != statuses_.end() ? status->second
                            : held_.contains(key)     ? kRunning
                            : failures_.contains(key) ? std::string("failed")
                                                      : std::string("waiting");
        ++cells[state];
        is_done = has_ended(state);
        failed += state == "failed" || state == "damaged";
        const auto pace = paces_.find(job.run);
        if (pace != paces_.end() && std::isfinite(pace->second.share)) share = pace->second.share;
      } else {
        ++quantize;
        is_done = status != statuses_.end() && has_ended(status->second) && is_quantized(job);
        quantized += is_done;
        failed += !is_done && failures_.contains(key);
      }
      runs_here = runs_here || held_.contains(key);
      done += is_done;
      cost_ += job.cost;
      cost_done_ += job.cost * (is_done ? 1 : share);
    }
    out["jobs"] = Json{{"done", done}, {"failed", failed}, {"total", jobs_->jobs.size()}};
    out["quantized"] =
        quantize > 0 ? Json{{"done", quantized}, {"total", quantize}} : Json(nullptr);
    sample(now);
    const double span = now - samples_.front().first;
    const double speed = (cost_done_ - samples_.front().second) / std::max(span, 1e-9);
    // Whole minutes, so that a summary is not another one every second.
    out["seconds_left"] = runs_here && span >= kShortestWindow && speed > 0
                              ? Json(60 * std::ceil((cost_ - cost_done_) / speed / 60))
                              : Json(nullptr);
  }
  out["cells"] = cells;
  Json failures = Json::array();
  for (const auto& [key, failure] : failures_) {
    if (failures.size() < kMostListed)
      failures.push_back(Json{{"job", failure.second.job}, {"message", failure.second.message}});
  }
  out["failures"] = failures;
  // A claim is a job's, and its process is the worker's.
  std::map<std::string, Json> workers;
  for (const auto& [key, claimant] : held_) {
    Json& worker = workers[text_of(claimant.process)];
    if (worker.is_null()) {
      worker = Json{{"host", claimant.process.host},
                    {"process", claimant.process.pid},
                    {"since", claimant.since},
                    {"jobs", Json::array()}};
    }
    if (claimant.since < worker["since"].get<std::string>()) worker["since"] = claimant.since;
    const auto name = names_.find(key);
    worker["jobs"].push_back(name == names_.end() ? key : name->second);
  }
  out["workers"] = Json::array();
  for (auto& [name, worker] : workers) out["workers"].push_back(worker);
  return dump_json(out);
}

}  // namespace bitlaw
