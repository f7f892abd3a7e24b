#include "sweep/look.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/text.h"
#include "record/beside_runs.h"
#include "record/result.h"
#include "record/run.h"
#include "sweep/paths.h"
#include "work/claim.h"
#include "work/failure.h"
#include "work/pace.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Files of a directory of claims are KEY.N.
std::string key_of_claim(const fs::path& file) {
  return file.stem().string();
}

std::set<std::string> claimed_keys(const fs::path& runs) {
  std::set<std::string> keys;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs / kClaimsFolder, none))
    keys.insert(key_of_claim(entry.path()));
  return keys;
}

std::string running_detail(const Job& job, const Claimant& holder, const fs::path& runs) {
  std::string detail = "on " + text_of(holder.process);
  if (const auto pace = pace_of(job, runs)) {
    detail += fmt::format(", {:.0f} %, loss {:.3f}, {} tokens/s", 100 * pace->share,
                          pace->loss_nats, format_count(pace->tokens_per_second));
  }
  return detail;
}

std::string status_of_record(const fs::path& run) {
  std::error_code none;
  if (!fs::exists(run, none)) return "waiting";
  try {
    const RunStatus status = run_status(run);
    return status == RunStatus::kStarted ? "interrupted" : name_of(status);
  } catch (const Error&) {
    return "damaged";
  }
}

CellState state_of(const Job& job, const JobOutcome& outcome, const SweepPlan& plan,
                   const std::set<std::string>& claimed, Claims& claims) {
  if (outcome.state == JobState::kFailed) {
    const std::string record = status_of_record(plan.directory / job.run);
    return {record == "damaged" ? record : "failed", outcome.message};
  }
  if (outcome.state != JobState::kDone && claimed.contains(job_key(job))) {
    if (const auto holder = claims.holder(job_key(job)))
      return {"running", running_detail(job, *holder, plan.directory)};
  }
  return {status_of_record(plan.directory / job.run), ""};
}

// A quantize job is a part of the cell that its run is of.
void add_quantization(const CellState& quantize, CellState& cell) {
  if (quantize.status != "failed" && quantize.status != "running") return;
  cell.detail += fmt::format("{}quantization {} {}", cell.detail.empty() ? "" : "; ",
                             quantize.status, quantize.detail);
}

const PlannedRun& run_named(const SweepPlan& plan, const std::string& cell) {
  std::vector<const PlannedRun*> found;
  const std::vector<std::string> words = split(cell, ' ');
  for (const PlannedRun& run : plan.runs) {
    const std::vector<std::string> label = split(run.cell.label, ' ');
    const bool all_words = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
      return std::find(label.begin(), label.end(), word) != label.end();
    });
    if (run.name.starts_with(cell) || all_words) found.push_back(&run);
  }
  if (found.size() == 1) return *found[0];
  if (found.empty()) {
    throw Error(fmt::format("{}: no cell of {} has this name or label; `--status` lists them",
                            printable(cell), plan.study.name));
  }
  throw Error(fmt::format("{}: {} cells of {} have it, such as {} and {}; give more of the label",
                          printable(cell), found.size(), plan.study.name, found[0]->cell.label,
                          found[1]->cell.label));
}

std::map<std::string, Json> flat(const Json& document) {
  std::vector<std::pair<std::string, Json>> keys;
  flatten(document, "", keys);
  return {keys.begin(), keys.end()};
}

std::vector<std::string> differences(const Json& here, const Json& there) {
  std::vector<std::string> out;
  const std::map<std::string, Json> mine = flat(here), other = flat(there);
  for (const auto& [key, value] : mine) {
    const auto found = other.find(key);
    if (found != other.end() && found->second == value) continue;
    out.push_back(fmt::format("{}: {} here, {} there", key, text_of(value),
                              found == other.end() ? "nothing" : text_of(found->second)));
  }
  return out;
}

void compare_with_nearest(const SweepPlan& plan, const PlannedRun& run, Why& why) {
  const Json document = run.resolved.document();
  for (const PlannedRun& other : plan.runs) {
    if (other.name == run.name || status_of_record(plan.directory / other.name) != "finished")
      continue;
    std::vector<std::string> differs = differences(document, other.resolved.document());
    if (!why.nearest.empty() && differs.size() >= why.differs.size()) continue;
    why.nearest = other.name;
    why.differs = std::move(differs);
  }
}

std::vector<std::string> last_lines(const fs::path& log) {
  constexpr size_t kLines = 10;
  std::error_code none;
  if (!fs::exists(log, none)) return {};
  std::vector<std::string> lines = split(trim(read_file(log)), '\n');
  if (lines.size() > kLines)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kLines));
  for (std::string& line : lines) line = printable(line);
  return lines;
}

void explain_failure(const Job& job, const JobOutcome& outcome, const fs::path& runs, Why& why) {
  why.failed_job = job.name;
  why.message = outcome.message;
  why.exit_code = outcome.exit_code;
  const fs::path log = job_log(job, runs);
  why.log = log.string();
  why.log_lines = last_lines(log);
  if (const auto failure = read_failure(job, runs)) {
    why.when = fmt::format("{} on {}, bitlaw {}", failure->time, failure->host, failure->program);
    if (failure->attempts > 1) why.when += fmt::format(", {} attempts", failure->attempts);
  }
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

std::vector<CellState> cell_states(const SweepPlan& plan, const std::vector<Job>& jobs,
                                   const std::vector<JobOutcome>& outcomes) {
  const std::set<std::string> claimed = claimed_keys(plan.directory);
  Claims claims(plan.directory / kClaimsFolder, 60);
  std::map<std::string, CellState> by_run;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const CellState state = state_of(jobs[i], outcomes[i], plan, claimed, claims);
    if (jobs[i].kind == JobKind::kTrain)
      by_run[jobs[i].run] = state;
    else
      add_quantization(state, by_run[jobs[i].run]);
  }
  std::vector<CellState> states;
  for (const PlannedRun& run : plan.runs)
    states.push_back(run.table.empty() ? by_run.at(run.name) : CellState{"in table", run.table});
  return states;
}

Why why(const SweepPlan& plan, const std::string& cell, const std::string& program) {
  const PlannedRun& run = run_named(plan, cell);
  const std::vector<Job> jobs = make_jobs(plan);
  const std::vector<JobOutcome> outcomes = outcomes_so_far(jobs, plan.directory);
  Why why{.run = run.name, .label = run.cell.label};
  const auto place = std::find_if(plan.runs.begin(), plan.runs.end(),
                                  [&](const PlannedRun& each) { return &each == &run; });
  const CellState state =
      cell_states(plan, jobs, outcomes)[static_cast<size_t>(place - plan.runs.begin())];
  why.status = state.status;
  why.detail = state.detail;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Job& job = jobs[i];
    if (job.run != run.name) continue;
    if (outcomes[i].state == JobState::kFailed)
      explain_failure(job, outcomes[i], plan.directory, why);
    if (job.kind == JobKind::kTrain)
      why.command = joined_words(job_command(job, plan.directory, program));
    if (outcomes[i].state != JobState::kWaiting || job.trunk < 0) continue;
    const auto trunk = static_cast<size_t>(job.trunk);
    std::error_code none;
    if (outcomes[trunk].state == JobState::kWaiting &&
        !fs::exists(plan.directory / job.trunk_state, none))
      why.waits_for.push_back(jobs[trunk].name);
  }
  for (const auto& [key, value] : flat(run.cell.config))
    why.sets.push_back(fmt::format("{} = {}", key, text_of(value)));
  compare_with_nearest(plan, run, why);
  return why;
}

std::vector<fs::path> superfluous(const SweepPlan& plan) {
  std::set<std::string> names, trunks;
  for (const PlannedRun& run : plan.runs) {
    names.insert(run.name);
    if (run.trunk.empty() || status_of_record(plan.directory / run.name) == "finished") continue;
    trunks.insert(run.trunk);
  }
  std::vector<fs::path> out;
  std::error_code none;
  const auto add = [&](const fs::path& folder, const auto& is_useful) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
      if (!is_useful(entry.path())) out.push_back(entry.path());
    }
  };
  for (const std::string& key : claimed_keys(plan.directory))
    names.insert(key.ends_with("-quantize") ? key.substr(0, key.size() - 9) : key);
  // RUN.json, RUN.log, RUN-quantize.log, measure-RUN.json
  const auto is_of_a_cell = [&](const fs::path& file) {
    std::string name = file.stem().string();
    if (name.starts_with("measure-")) name.erase(0, 8);
    if (name.ends_with("-quantize")) name.resize(name.size() - 9);
    return names.contains(name);
  };
  add(plan.directory, [&](const fs::path& place) {
    return !is_run(place) || names.contains(place.filename().string());
  });
  for (const char* folder : {kConfigurationsFolder, kLogsFolder, kFailuresFolder})
    add(plan.directory / folder, is_of_a_cell);
  add(plan.directory / kTrunksFolder,
      [&](const fs::path& place) { return trunks.contains(place.filename().string()); });
  Claims claims(plan.directory / kClaimsFolder, 60);
  add(plan.directory / kClaimsFolder,
      [&](const fs::path& file) { return claims.holder(key_of_claim(file)).has_value(); });
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace bitlaw
