// bitlaw sweep: flags of the library's SweepOptions, and its result for people.
#include "sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/range.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/launch_flags.h"
#include "cli/verb.h"
#include "cli/work_flags.h"
#include "sweep/conditions.h"
#include "sweep/look.h"
#include "train/interrupt.h"
#include "watch/watch.h"

namespace bitlaw::cli {
namespace {

struct SweepFlags {
  SweepOptions sweep;
  WorkFlags work;
  LaunchFlags launch;
  std::string why;
  int jobs = 0;  // 0: not given
  bool status = false, dry_run = false, json = false, print_config = false;
  bool prune = false, yes = false;
};

void print_cells(const SweepResult& result) {
  fmt::print("{:<16} {:<10} {:>8} {:>8} {:>9}  {}\n", "run", "status", "N", "D", "FLOP", "cell");
  for (const SweepCell& cell : result.cells) {
    fmt::print("{:<16} {:<10} {:>8} {:>8} {:>9.2e}  {}{}\n", cell.run, cell.status,
               format_count(static_cast<double>(cell.N)), format_count(static_cast<double>(cell.D)),
               cell.flops, cell.label, cell.quantize ? "  + quantize" : "");
    if (!cell.detail.empty()) fmt::print("  {}\n", cell.detail);
  }
}

void print_forecast(const Forecast& forecast) {
  for (const std::string& line : describe(forecast)) fmt::print("{}\n", line);
}

void print_summary(const SweepResult& result) {
  fmt::print("{}: {} of {} jobs done, {} failed, {} waiting; runs in {}\n", result.study,
             result.done, result.jobs, result.failed + result.skipped, result.waiting, result.runs);
  const auto diverged =
      std::count_if(result.cells.begin(), result.cells.end(),
                    [](const SweepCell& cell) { return cell.status == "diverged"; });
  if (diverged > 0) fmt::print("{} of {} runs diverged\n", diverged, result.cells.size());
  for (const SweepFailure& failure : result.failures)
    fmt::print("failed: {}: {} ({})\n", failure.job, failure.message, failure.log);
  if (!result.note.empty()) fmt::print("{}\n", result.note);
}

void print_list(const char* name, const std::vector<std::string>& lines) {
  for (size_t i = 0; i < lines.size(); ++i) fmt::print("{:<12}{}\n", i == 0 ? name : "", lines[i]);
}

void print_field(const char* name, const std::string& text) {
  if (!text.empty()) fmt::print("{:<12}{}\n", name, text);
}

void print_why(const Why& why) {
  print_field("run", why.run);
  print_field("cell", why.label);
  print_field("status", why.status + (why.detail.empty() ? "" : ": " + why.detail));
  if (!why.failed_job.empty()) {
    print_field("failed", why.failed_job);
    print_field("", fmt::format("exit status {}: {}", why.exit_code, why.message));
    print_field("", why.when);
    print_field("log", why.log);
    print_list("", why.log_lines);
  }
  print_list("waits for", why.waits_for);
  print_list("sets", why.sets);
  if (!why.nearest.empty()) {
    print_field("nearest", why.nearest + ", the finished run that differs least:");
    print_list("", why.differs);
  }
  print_field("command", why.command);
}

// Removes only where --yes says so.
void prune(const SweepPlan& plan, bool yes, bool json) {
  const std::vector<std::filesystem::path> places = superfluous(plan);
  if (json) {
    Json document{{"removed", yes}, {"places", Json::array()}};
    for (const auto& place : places) document["places"].push_back(place.string());
    print_json(document);
  }
  for (const auto& place : places) {
    if (!json) fmt::print("{}\n", place.string());
    if (yes) std::filesystem::remove_all(place);
  }
  if (json) return;
  if (places.empty())
    fmt::print("{}: nothing that the study does not need\n", plan.directory.string());
  else if (yes)
    fmt::print("{} files and directories removed\n", places.size());
  else
    fmt::print(
        "{} files and directories that the study does not need; --prune --yes removes them\n",
        places.size());
}

void print_configurations(const SweepOptions& options) {
  Json document = Json::array();
  SweepPlan plan = plan_sweep(options.study, options.runs);
  keep_only(plan, options.selection.only);
  for (const PlannedRun& run : plan.runs) document.push_back(run.resolved.document());
  print_json(document);
}

void run_sweep(SweepFlags& options) {
  SweepOptions& sweep_options = options.sweep;
  sweep_options.launcher = &options.launch.launcher();
  sweep_options.cluster = options.launch.parsed();
  // The cores of this machine say nothing of others.
  if (!sweep_options.launcher->works_here) sweep_options.jobs = 1;
  if (options.jobs > 0) sweep_options.jobs = options.jobs;
  const WorkOptions work = options.work.parsed();
  sweep_options.seconds = work.seconds;
  sweep_options.memory_bytes = work.memory_bytes;
  sweep_options.nice = work.nice;
  sweep_options.order = work.order;
  sweep_options.lease_seconds = work.lease_seconds;
  sweep_options.tensorboard = work.tensorboard;
  if (options.print_config) {
    print_configurations(sweep_options);
    return;
  }
  sweep_options.program = own_path();
  if (!options.why.empty() || options.prune) {
    const SweepPlan plan = plan_sweep(sweep_options.study, sweep_options.runs);
    if (options.prune) {
      prune(plan, options.yes, options.json);
      return;
    }
    const Why answer = why(plan, options.why, sweep_options.program);
    if (options.json)
      print_json(struct_to_json(answer));
    else
      print_why(answer);
    return;
  }
  sweep_options.look_only = options.status || options.dry_run;
  sweep_options.forecast = sweep_options.show_script = options.dry_run;
  sweep_options.stop = &stop_work;
  Watch watch({.order = work.order == JobOrder::kInformative});
  sweep_options.advisor = &watch;
  if (!sweep_options.look_only) stop_work_on_signals();
  const SweepResult result = sweep(sweep_options, [&](const std::string& sentence) {
    if (!sweep_options.quiet) say("{}", sentence);
  });
  if (options.json) {
    Json document = struct_to_json(result);
    if (const auto law = watch.law()) document["law"] = struct_to_json(*law);
    print_json(document);
  } else {
    if (sweep_options.look_only) print_cells(result);
    if (result.forecast) print_forecast(*result.forecast);
    print_summary(result);
    if (!result.script.empty()) fmt::print("\n{}", result.script);
  }
  if (!result.trouble.empty()) throw Error(trouble_sentence(result.trouble));
  if (stop_work) {
    say("stopped; the same command resumes the sweep");
    exit_status = kInterruptedExitCode;
  } else if (result.failed > 0) {
    say("bitlaw: {} of {} jobs failed; the others are not affected, and --retry tries the failed "
        "ones again",
        result.failed, result.jobs);
    exit_status = 1;
  } else if (sweep_options.seconds > 0 && result.waiting > 0 && !sweep_options.look_only) {
    say("the time is over; the same command resumes the sweep");
  }
}

}  // namespace

void add_sweep(App& app) {
  auto options = std::make_shared<SweepFlags>();
  SweepOptions& sweep_options = options->sweep;
  App* verb = add_verb(
      app, "sweep", "Train and quantize every cell of a study file",
      "bitlaw sweep examples/demo.toml --jobs 2\n  bitlaw sweep examples/demo.toml --status\n"
      "  bitlaw sweep examples/demo.toml --launcher script && parallel < runs/demo/jobs.sh");
  verb->add_option("study", sweep_options.study,
                   "the study file, then overrides such as base.train.lr=1e-2")
      ->required();
  verb->add_option("--runs", sweep_options.runs,
                   "directory of the runs (default: runs/NAME of the study)");
  verb->add_option("--jobs", options->jobs,
                   "processes at a time, one thread each; of each task with other launchers")
      ->default_str(fmt::format("{}, others 1", sweep_options.jobs))
      ->whole(1, kMostThreads);
  options->launch.add(verb);
  options->work.add(verb);
  verb->add_flag("--retry", sweep_options.retry, "try the jobs again that have failed");
  verb->add_option("--minutes", sweep_options.minutes,
                   "measure the speed and shrink all token counts to fit")
      ->positive();
  SelectionOptions& selection = sweep_options.selection;
  verb->add_option(
          "--only", selection.only,
          "cells to make: P_w=3,4, N=1e6..3e8, D/N>20, size=small, train.lr<0.01; repeatable")
      ->allow_extra_args(false);
  verb->add_option("--budget", selection.budget,
                   "make the first cells that this pays for: \"1e16 FLOP\", \"20 core-hours\", "
                   "\"2 h\"");
  verb->add_option("--have", selection.have,
                   "a table of `bitlaw runs --csv`; cells that stand in it are not run; repeatable")
      ->allow_extra_args(false);
  verb->add_flag("--calibrate", selection.calibrate,
                 "measure the speed of this machine, for at most 20 s, and keep it with the runs");
  verb->add_option(
          "--rate", selection.rate,
          "tokens a second that one process trains of the smallest model, on another machine")
      ->positive();
  verb->add_option("--price", sweep_options.price_per_core_hour,
                   "of a core-hour: --dry-run says the cost")
      ->positive();
  verb->add_flag("--status", options->status, "list the cells and stop");
  verb->add_flag("--dry-run", options->dry_run,
                 "the same, with what is left: FLOP, memory, time and cost");
  verb->add_option("--why", options->why,
                   "all about one cell, by the name of its run or by words of its label, and stop");
  verb->add_flag("--prune", options->prune,
                 "list what is in the directory of runs and no cell needs, and stop");
  verb->add_flag("--yes", options->yes, "with --prune: remove it");
  verb->add_flag("--print-config", options->print_config,
                 "print the resolved configurations and stop");
  verb->add_flag("--quiet", sweep_options.quiet, "no progress");
  verb->add_flag("--json", options->json, "print one JSON document");
  verb->callback([options] { run_sweep(*options); });
}

}  // namespace bitlaw::cli
