// bitlaw tune: flags of the library's TuneOptions, and what the fleets say for people.
#include "fleet/tune.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "base/say.h"
#include "base/text.h"
#include "cli/verb.h"
#include "cli/work_flags.h"
#include "train/interrupt.h"

namespace bitlaw::cli {
namespace {

struct TuneFlags {
  TuneOptions tune;
  WorkFlags work;
  bool status = false, json = false;
};

// "0.0123 [0.011, 0.014]"
std::string text_of(const TuneEstimate& estimate) {
  if (std::isnan(estimate.value)) return "not known";
  return fmt::format("{:.3g} [{:.3g}, {:.3g}]", estimate.value, estimate.low, estimate.high);
}

void print_best(const FleetReport& fleet) {
  if (fleet.best_run.empty()) {
    fmt::print("  best        no configuration has a loss\n");
    return;
  }
  std::string values;
  for (const TunedValue& each : fleet.best)
    values += fmt::format("{}{} = {:.4g}", values.empty() ? "" : ", ", each.key, each.value);
  fmt::print("  best        {}  ({})\n", values, fleet.best_run);
  if (std::isnan(fleet.replicated_loss)) {
    fmt::print("  its loss    {:.4f} nats, chosen as the least of many, so likely too low\n",
               fleet.best_loss);
  } else if (std::isnan(fleet.noise)) {
    fmt::print("  its loss    {:.4f} nats with another seed\n", fleet.replicated_loss);
  } else {
    fmt::print("  its loss    {:.4f} +- {:.4f} nats with other seeds, whose deviation is {:.4f}\n",
               fleet.replicated_loss, fleet.replicated_error, fleet.noise);
  }
}

void print_tail(const TailFit& tail) {
  if (!tail.missing.empty()) {
    fmt::print("  tuned?      not known: {}\n", tail.missing);
    return;
  }
  std::string others;
  for (const Regret& regret : tail.regrets) {
    if (regret.configurations == tail.configurations) {
      fmt::print("  tuned?      {}: the best of {} loses {} nats to the best possible\n",
                 tail.enough ? "yes" : "no", regret.configurations, text_of(regret.nats));
    } else {
      others += fmt::format("{}{:.2g} of {}", others.empty() ? "" : ", ", regret.nats.value,
                            regret.configurations);
    }
  }
  fmt::print("              the best of fewer or more would lose {}\n", others);
  fmt::print("  near it     {} dimensions, noise {} nats, from {} losses\n",
             text_of(tail.dimension), text_of(tail.noise), tail.in_tail);
}

void print_rung(const TuneRung& rung) {
  fmt::print("  at D = {}, {} configurations\n", format_count(rung.D), rung.configurations);
  if (!rung.surface.missing.empty()) {
    fmt::print("    {}\n", rung.surface.missing);
    return;
  }
  for (const AxisOptimum& axis : rung.surface.axes) {
    if (!axis.missing.empty())
      fmt::print("    {:<24} {}\n", axis.key, axis.missing);
    else
      fmt::print("    {:<24} {}, flat from {:.3g} to {:.3g}\n", axis.key, text_of(axis.best),
                 axis.flat_low, axis.flat_high);
  }
}

std::string exponent(const char* name, double middle, const TuneEstimate& estimate) {
  return std::isnan(estimate.value)
             ? ""
             : fmt::format(" ({} / {})^{}", name, format_count(middle), text_of(estimate));
}

void print_rules(const TuneResult& result) {
  if (!result.rules.empty()) fmt::print("how the best values move:\n");
  for (const AxisRule& rule : result.rules) {
    if (!rule.missing.empty())
      fmt::print("  {:<24} no rule: {}\n", rule.key, rule.missing);
    else
      fmt::print("  {:<24} {}{}{}\n", rule.key, text_of(rule.at_middle),
                 exponent("N", rule.N0, rule.of_N), exponent("D", rule.D0, rule.of_D));
  }
  if (!result.shifts.empty()) fmt::print("fewer bits, over the best value of BF16:\n");
  for (const BitsShift& shift : result.shifts) {
    fmt::print("  {:<24} {} at {}, N {}, D {}\n", shift.key, text_of(shift.ratio), shift.precision,
               format_count(shift.N), format_count(shift.D));
  }
}

void print_result(const TuneResult& result) {
  for (const FleetReport& fleet : result.fleets) {
    fmt::print("{}{}N {}, D {}, {}: {} configurations", fleet.label,
               fleet.label.empty() ? "" : "  ", format_count(fleet.N), format_count(fleet.D),
               fleet.precision, fleet.configurations);
    fmt::print("{}\n", fleet.diverged > 0 ? fmt::format(", {} diverged", fleet.diverged) : "");
    print_best(fleet);
    print_tail(fleet.tail);
    for (const TuneRung& rung : fleet.rungs) print_rung(rung);
  }
  print_rules(result);
  for (const std::string& sentence : result.sentences) fmt::print("{}\n", sentence);
}

void run_tune(TuneFlags& flags) {
  SweepOptions& sweep = flags.tune.sweep;
  const WorkOptions work = flags.work.parsed();
  sweep.seconds = work.seconds;
  sweep.memory_bytes = work.memory_bytes;
  sweep.nice = work.nice;
  sweep.order = work.order;
  sweep.lease_seconds = work.lease_seconds;
  sweep.program = own_path();
  sweep.look_only = flags.status;
  sweep.stop = &stop_work;
  if (flags.tune.halvings < 0 || flags.tune.halvings > 6)
    throw Error(fmt::format("--halvings {}: expected 0 to 6", flags.tune.halvings));
  if (flags.tune.replicates < 0 || flags.tune.replicates > 100)
    throw Error(fmt::format("--replicates {}: expected 0 to 100", flags.tune.replicates));
  if (!flags.status) stop_work_on_signals();
  const TuneResult result = tune(flags.tune, [&](const std::string& sentence) {
    if (!sweep.quiet) say("{}", sentence);
  });
  if (flags.json)
    print_json(struct_to_json(result));
  else
    print_result(result);
  if (!result.trouble.empty()) throw Error(trouble_sentence(result.trouble));
  if (stop_work) {
    say("stopped; the same command goes on");
    exit_status = kInterruptedExitCode;
  } else if (result.failed > 0) {
    say("bitlaw: {} of {} jobs failed; --retry tries them again", result.failed, result.jobs);
    exit_status = 1;
  } else if (!result.complete) {
    say("not all is done: this is what is there so far; the same command{} goes on",
        flags.status ? " without --status" : "");
  }
}

}  // namespace

void add_tune(App& app) {
  auto flags = std::make_shared<TuneFlags>();
  SweepOptions& sweep = flags->tune.sweep;
  App* verb = add_verb(app, "tune", "Find the best learning rate, batch and the like of each size",
                       "bitlaw tune study.toml --jobs 2 --for 2h");
  verb->add_option("study", sweep.study,
                   "a study file with ranges, then overrides such as base.train.tokens=1e6")
      ->required();
  verb->add_option("--runs", sweep.runs, "directory of the runs (default: runs/NAME of the study)");
  verb->add_option("--have", flags->tune.have,
                   "tables of `bitlaw publish`: runs that have ended there are not made again")
      ->allow_extra_args(false);
  verb->add_option("--jobs", sweep.jobs, "processes at a time, one thread each")->positive();
  verb->add_option("--halvings", flags->tune.halvings,
                   "rounds in which half of the configurations are given up: 2 is D/4, D/2, D")
      ->default_str("2");
  verb->add_option("--replicates", flags->tune.replicates,
                   "other seeds of the best three configurations")
      ->default_str("2");
  verb->add_option("--tolerance", flags->tune.tolerance,
                   "nats that the best of a tuned size may lose to the best possible")
      ->default_str("0.01")
      ->positive();
  flags->work.add(verb);
  verb->add_flag("--retry", sweep.retry, "try the jobs again that have failed");
  verb->add_flag("--status", flags->status, "start nothing: what the runs say that are there");
  verb->add_flag("--quiet", sweep.quiet, "no progress");
  verb->add_flag("--json", flags->json, "print one JSON document");
  verb->callback([flags] { run_tune(*flags); });
}

}  // namespace bitlaw::cli
