// bitlaw sweep: a study file to finished runs, a few processes at a time. Everything it knows is in
// the run directories: it can be killed at any moment and started again.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/verb.h"
#include "quantize/planned_cells.h"
#include "record/result.h"
#include "runs/effort.h"
#include "sweep/launcher.h"
#include "sweep/study.h"
#include "train/config.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> study;  // the file, then overrides of it
  std::string runs;
  int jobs = hardware_threads();
  double minutes = 0;
  bool status = false, dry_run = false, json = false, quiet = false, print_config = false;
};

std::atomic<bool> g_stop{false};

constexpr double kLeastScale = 0.001;  // of a study's tokens

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A cell with what follows from its configuration.
struct Planned {
  Cell cell;
  ResolvedConfig resolved;
  std::string name;
  double flops = 0;  // of its training
};

class Plan {
 public:
  explicit Plan(const Options& options);
  void scale_tokens(double scale);
  // Until all cells are done, `parallel` processes at a time.
  double seconds(const std::map<std::string, double>& rates, int parallel) const;
  int ptq_cells() const { return ptq_cells_; }

  Study study;
  PtqConfig ptq;
  std::vector<Planned> cells;
  fs::path runs;

 private:
  void resolve_cells();
  std::map<std::string, DatasetInfo> data_;
  int ptq_cells_ = 0;
};

Plan::Plan(const Options& options) {
  Json document = read_toml(options.study[0]);
  for (size_t i = 1; i < options.study.size(); ++i) apply_override(document, options.study[i]);
  study = expand_study(document, options.study[0], to_json(TrainConfig{}));
  if (!study.ptq.is_null()) {
    fill(ptq, study.ptq, options.study[0] + " [ptq]");
    ptq_cells_ = static_cast<int>(bitlaw::ptq_cells(ptq).size());
  }
  runs = options.runs.empty() ? fs::path("runs") / study.name : fs::path(options.runs);
  resolve_cells();
}

void Plan::resolve_cells() {
  cells.clear();
  for (const Cell& cell : study.cells) {
    TrainConfig config;
    fill(config, cell.config, study.name + ": " + cell.label);
    if (config.data.path.empty())
      throw Error(fmt::format("{}: data.path is not set; give it in [base]", study.name));
    auto& data = data_[config.data.path];
    if (data.hash.empty()) data = Dataset::open(config.data.path).info();
    Planned planned{cell, resolve(config, data), "", 0};
    planned.name = planned.resolved.name();
    planned.flops = planned.resolved.config.model.training_flops_per_token() *
                    static_cast<double>(planned.resolved.config.train.tokens);
    const bool twice = std::any_of(cells.begin(), cells.end(),
                                   [&](const Planned& p) { return p.name == planned.name; });
    if (!twice) cells.push_back(std::move(planned));
  }
}

void Plan::scale_tokens(double scale) {
  for (Cell& cell : study.cells) {
    TrainConfig config;
    fill(config, cell.config, study.name);
    cell.config["train"]["tokens"] =
        std::max<int64_t>(config.train.batch_tokens * 10,
                          std::llround(scale * static_cast<double>(config.train.tokens)));
  }
  resolve_cells();
}

// Cells that train equally fast: same shape, and the same parts rounded to the same kind of format,
// to however many bits.
std::string speed_key(const Planned& planned) {
  const TrainConfig& config = planned.resolved.config;
  const Recipe& recipe = planned.resolved.recipe;
  std::string key = dump_json(to_json(config.model));
  key += fmt::format(" {} {}", config.train.batch_tokens, config.train.backward);
  for (const Quantizer* part :
       {&recipe.weights, &recipe.activations, &recipe.keys, &recipe.values, &recipe.queries}) {
    Quantizer kind = *part;
    if (kind.format.kind == FormatKind::kInteger) kind.format.bits = 8;
    key += " " + kind.name();
  }
  return key;
}

// Evaluation costs a third of training per token, comparing token by token a little more, a
// calibration as much; starting a process and writing a run takes about half a second.
double Plan::seconds(const std::map<std::string, double>& rates, int parallel) const {
  constexpr double kForward = 1.0 / 3, kCompare = 0.4, kCalibrate = 1, kStartSeconds = 0.5;
  std::vector<Job> jobs;
  for (const Planned& planned : cells) {
    const double rate = rates.at(speed_key(planned));
    const auto& train = planned.resolved.config.train;
    const double trained =
        static_cast<double>(train.tokens) + kForward * static_cast<double>(train.validation_tokens);
    jobs.emplace_back();
    jobs.back().cost = kStartSeconds + trained / rate;
    if (!planned.cell.quantize) continue;
    const double compared = (ptq_cells_ + 1.0) * static_cast<double>(ptq.evaluation_tokens);
    const double calibrated = static_cast<double>(ptq.calibration_seeds.size()) *
                              static_cast<double>(ptq.calibration_tokens);
    jobs.emplace_back();
    jobs.back().after = static_cast<int>(jobs.size()) - 2;
    jobs.back().cost = kStartSeconds + (kCompare * compared + kCalibrate * calibrated) / rate;
  }
  return planned_duration(jobs, parallel);
}

// Tokens per second by speed_key: each kind of cell trains for a moment in a process of its own, as
// many at a time as the study will run.
std::map<std::string, double> measure_rates(const Plan& plan, int parallel) {
  std::vector<Job> jobs;
  std::vector<std::string> keys;
  for (const Planned& planned : plan.cells) {
    const std::string key = speed_key(planned);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const fs::path cell = plan.runs / "cells" / (planned.name + ".json");
    write_file_atomically(cell, dump_json(planned.cell.config, 1) + "\n");
    keys.push_back(key);
    jobs.push_back(
        {"measure " + planned.name,
         {own_path(), "train", cell.string(), "--measure", "1", "--threads", "1", "--json"},
         plan.runs / "logs" / ("measure-" + planned.name + ".log")});
  }
  const auto outcomes = launch_local(jobs, {.parallel = parallel, .quiet = true});
  std::map<std::string, double> rates;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].state != JobState::kDone)
      throw Error("measuring the speed failed: " + outcomes[i].message);
    rates[keys[i]] =
        parse_json(read_file(jobs[i].log), jobs[i].log.string()).at("tokens_per_second");
  }
  return rates;
}

double planned_seconds(Plan plan, double scale, const std::map<std::string, double>& rates,
                       int parallel) {
  plan.scale_tokens(scale);
  return plan.seconds(rates, parallel);
}

// The largest share of the study's tokens, in thousandths, that takes at most so many seconds; the
// smallest if none does.
double scale_that_fits(const Plan& plan, const std::map<std::string, double>& rates, int parallel,
                       double seconds) {
  const auto fits = [&](double scale) {
    return planned_seconds(plan, scale, rates, parallel) <= seconds;
  };
  if (fits(1)) return 1;
  double low = 0, high = 1;  // tokens have a least value, so time is not quite proportional
  for (int i = 0; i < 12; ++i) {
    const double middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return std::max(kLeastScale, std::floor(low * 1000) / 1000);
}

// The share of the study's tokens that fits into the minutes; decided once per directory of runs,
// so that a second call resumes the same cells.
double scale_for(const Options& options, const Plan& plan, const std::string& study_hash) {
  const fs::path manifest = plan.runs / "study.json";
  std::error_code error;
  if (fs::exists(manifest, error)) {
    const Json before = parse_json(read_file(manifest), manifest.string());
    if (before.value("study_hash", "") == study_hash &&
        before.value("minutes", 0.0) == options.minutes) {
      return before.at("scale").get<double>();
    }
  }
  if (!options.quiet) fmt::print(stderr, "measuring the speed of each kind of cell ...\n");
  const auto start = Clock::now();
  const std::map<std::string, double> rates = measure_rates(plan, options.jobs);
  // Of the minutes asked for, those that measuring took are gone.
  const double budget = 60 * options.minutes - seconds_since(start);
  const double scale = scale_that_fits(plan, rates, options.jobs, budget);
  const double planned = planned_seconds(plan, scale, rates, options.jobs);
  if (planned > budget && !options.quiet) {
    fmt::print(stderr, "the smallest study of this design takes {}\n", format_duration(planned));
  }
  const Json document{{"name", plan.study.name},
                      {"study_hash", study_hash},
                      {"minutes", options.minutes},
                      {"scale", scale},
                      {"planned_seconds", planned}};
  write_file_atomically(manifest, dump_json(document, 1) + "\n");
  return scale;
}

bool finished(const fs::path& run) {
  return run_status(run) != RunStatus::kStarted;
}

bool quantized(const fs::path& run, const PtqConfig& ptq) {
  const RunStatus status = run_status(run);
  if (status != RunStatus::kFinished) return status == RunStatus::kDiverged;
  try {
    const std::vector<PlannedCell> cells = planned_cells(run, ptq);
    return std::all_of(cells.begin(), cells.end(),
                       [](const PlannedCell& cell) { return cell.there == true; });
  } catch (const Error&) {
    return false;  // the job itself says what is damaged
  }
}

std::string joined(const Json& list) {
  std::string out;
  for (const Json& item : list) {
    out +=
        (out.empty() ? "" : ",") + (item.is_string() ? item.get<std::string>() : dump_json(item));
  }
  return out;
}

std::vector<std::string> quantize_command(const PtqConfig& ptq, const fs::path& run) {
  std::vector<std::string> command{own_path(),  "quantize", run.string(),
                                   "--threads", "1",        "--json"};
  for (const ConfigKey& key : config_keys(ptq)) {
    std::string flag = "--" + key.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (key.value.is_boolean()) {
      if (key.value.get<bool>()) command.push_back(flag);
      continue;
    }
    command.push_back(flag);
    command.push_back(key.value.is_array() ? joined(key.value) : joined(Json::array({key.value})));
  }
  return command;
}

// From the last whole line of what a running process has logged.
double share_trained(const fs::path& run, int64_t tokens) {
  try {
    const std::vector<std::string> lines = split(trim(read_file(run / "metrics.jsonl")), '\n');
    if (lines.empty()) return 0;
    return parse_json(lines.back(), "metrics").at("tokens").get<double>() /
           static_cast<double>(tokens);
  } catch (const std::exception&) {
    return 0;  // not there yet, or a line just being written
  }
}

// A cell's file appears when the cell is done.
double share_quantized(const fs::path& run, int cells) {
  std::error_code error;
  const fs::directory_iterator files(run / "ptq", error), end;
  return error ? 0 : static_cast<double>(std::distance(files, end)) / cells;
}

std::vector<Job> make_jobs(const Plan& plan) {
  std::vector<Job> jobs;
  for (const Planned& planned : plan.cells) {
    const fs::path run = plan.runs / planned.name;
    const fs::path cell = plan.runs / "cells" / (planned.name + ".json");
    Job train{
        planned.cell.label.empty() ? planned.name : planned.cell.label,
        {own_path(), "train", cell.string(), "--directory", plan.runs.string(), "--threads", "1",
         "--quiet", "--json"},
        plan.runs / "logs" / (planned.name + ".log"),
        planned.flops,
        -1,
        [run, tokens = planned.resolved.config.train.tokens] { return share_trained(run, tokens); },
        [run] { return finished(run); }};
    jobs.push_back(std::move(train));
    if (!planned.cell.quantize) continue;
    const int cells = plan.ptq_cells();
    const double evaluated = (cells + 1.0) * static_cast<double>(plan.ptq.evaluation_tokens) / 3;
    Job quantize{jobs.back().name + " (quantize)",
                 quantize_command(plan.ptq, run),
                 plan.runs / "logs" / (planned.name + "-quantize.log"),
                 planned.resolved.config.model.training_flops_per_token() * evaluated,
                 static_cast<int>(jobs.size()) - 1,
                 [run, cells] { return share_quantized(run, cells); },
                 [run, &ptq = plan.ptq] { return quantized(run, ptq); }};
    jobs.push_back(std::move(quantize));
  }
  return jobs;
}

Json report_json(const Plan& plan, const std::vector<Job>& jobs,
                 const std::vector<JobOutcome>& outcomes, double scale) {
  std::array<int, 5> counts{};
  Json failures = Json::array();
  for (size_t i = 0; i < jobs.size(); ++i) {
    ++counts[static_cast<size_t>(outcomes[i].state)];
    if (outcomes[i].state != JobState::kFailed) continue;
    failures.push_back({{"job", jobs[i].name},
                        {"exit_code", outcomes[i].exit_code},
                        {"message", outcomes[i].message},
                        {"log", jobs[i].log.string()}});
  }
  Json cells = Json::array();
  for (const Planned& planned : plan.cells) {
    cells.push_back({{"run", planned.name},
                     {"label", planned.cell.label},
                     {"status", name_of(run_status(plan.runs / planned.name))},
                     {"N", planned.resolved.config.model.parameters()},
                     {"D", planned.resolved.config.train.tokens},
                     {"flops", planned.flops},
                     {"quantize", planned.cell.quantize}});
  }
  return {{"study", plan.study.name}, {"runs", plan.runs.string()},
          {"scale", scale},           {"jobs", jobs.size()},
          {"done", counts[2]},        {"waiting", counts[0]},
          {"failed", counts[3]},      {"skipped", counts[4]},
          {"failures", failures},     {"cells", cells}};
}

void print_report(const Json& report, bool cells) {
  if (cells) {
    fmt::print("{:<16} {:<10} {:>8} {:>8} {:>9}  {}\n", "run", "status", "N", "D", "FLOP", "cell");
    for (const Json& cell : report["cells"]) {
      fmt::print("{:<16} {:<10} {:>8} {:>8} {:>9.2e}  {}{}\n", cell["run"].get<std::string>(),
                 cell["status"].get<std::string>(), format_count(cell["N"].get<double>()),
                 format_count(cell["D"].get<double>()), cell["flops"].get<double>(),
                 cell["label"].get<std::string>(),
                 cell["quantize"].get<bool>() ? "  + quantize" : "");
    }
  }
  fmt::print("{}: {} of {} jobs done, {} failed, {} waiting; runs in {}\n",
             report["study"].get<std::string>(), report["done"].get<int>(),
             report["jobs"].get<int>(), report["failed"].get<int>() + report["skipped"].get<int>(),
             report["waiting"].get<int>(), report["runs"].get<std::string>());
  for (const Json& failure : report["failures"]) {
    fmt::print("failed: {}: {} ({})\n", failure["job"].get<std::string>(),
               failure["message"].get<std::string>(), failure["log"].get<std::string>());
  }
}

void run(const Options& options) {
  const auto start = Clock::now();
  Plan plan(options);
  if (options.print_config) {
    Json document = Json::array();
    for (const Planned& planned : plan.cells) document.push_back(planned.resolved.document());
    print_json(document);
    return;
  }
  double scale = 1;
  if (options.minutes > 0) {
    Json document = Json::array({plan.study.ptq});
    for (const Planned& planned : plan.cells) document.push_back(planned.name);
    scale = scale_for(options, plan, hash_hex(dump_json(document)));
    plan.scale_tokens(scale);
  }
  const std::vector<Job> jobs = make_jobs(plan);
  std::vector<JobOutcome> outcomes(jobs.size());
  const bool look_only = options.status || options.dry_run;
  if (look_only) {
    for (size_t i = 0; i < jobs.size(); ++i)
      outcomes[i].state = jobs[i].done() ? JobState::kDone : JobState::kWaiting;
  } else {
    for (const Planned& planned : plan.cells) {
      write_file_atomically(plan.runs / "cells" / (planned.name + ".json"),
                            dump_json(planned.cell.config, 1) + "\n");
    }
    const bool done =
        std::all_of(jobs.begin(), jobs.end(), [](const Job& job) { return job.done(); });
    stop_on_signals([](int) { g_stop = true; });
    outcomes = launch_local(jobs, {.parallel = options.jobs,
                                   .quiet = options.quiet,
                                   .label = plan.study.name,
                                   .stop = &g_stop});
    if (!done) add_effort(plan.runs, seconds_since(start));
  }
  const Json report = report_json(plan, jobs, outcomes, scale);
  if (options.json)
    print_json(report);
  else
    print_report(report, look_only);
  if (g_stop) {
    fmt::print(stderr, "stopped; the same command resumes the sweep\n");
    exit_status = 130;
  } else if (report["failed"].get<int>() > 0) {
    fmt::print(stderr,
               "bitlaw: {} of {} jobs failed; the others are complete, and the same command tries "
               "the failed ones again\n",
               report["failed"].get<int>(), jobs.size());
    exit_status = 1;
  }
}

}  // namespace

void add_sweep(App& app) {
  auto options = std::make_shared<Options>();
  App* verb = add_verb(
      app, "sweep", "Train and quantize every cell of a study file",
      "bitlaw sweep examples/demo.toml --jobs 2\n  bitlaw sweep examples/demo.toml --status");
  verb->add_option("study", options->study,
                   "the study file, then overrides such as base.train.lr=1e-2")
      ->required();
  verb->add_option("--runs", options->runs,
                   "directory of the runs (default: runs/NAME of the study)");
  verb->add_option("--jobs", options->jobs, "processes at a time, one thread each")->positive();
  verb->add_option("--minutes", options->minutes,
                   "measure the speed and shrink all token counts to fit")
      ->positive();
  verb->add_flag("--status", options->status, "list the cells and stop");
  verb->add_flag("--dry-run", options->dry_run, "the same: list what would be done");
  verb->add_flag("--print-config", options->print_config,
                 "print the resolved configurations and stop");
  verb->add_flag("--quiet", options->quiet, "no progress");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run(*options); });
}

}  // namespace bitlaw::cli
