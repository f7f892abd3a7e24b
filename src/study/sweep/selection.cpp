#include "sweep/selection.h"

#include <fmt/format.h>

#include "sweep/budget.h"
#include "sweep/conditions.h"
#include "sweep/have.h"

namespace bitlaw {
namespace {

std::optional<KnownSpeeds> measured(const std::optional<MachineSpeeds>& speeds,
                                    const SweepPlan& plan) {
  if (!speeds) return std::nullopt;
  return KnownSpeeds{rates_from(*speeds, plan), fmt::format("measured on {}, {} at a time",
                                                            speeds->name(), speeds->processes)};
}

std::optional<KnownSpeeds> known_speeds(const SweepPlan& plan, const SelectionOptions& options,
                                        bool needed, const LaunchOptions& launch,
                                        const SweepNote& note) {
  if (options.rate > 0)
    return KnownSpeeds{
        rates_at(options.rate, plan),
        fmt::format(
            "at {:g} tokens/s for the fewest FLOP a token and as many FLOP a second for all",
            options.rate)};
  auto speeds = options.calibrate ? std::nullopt : kept_speeds(launch.runs, launch.parallel);
  if (!speeds && (options.calibrate || (needed && options.may_measure))) {
    note("measuring the speed of this machine, for at most 20 s ...");
    speeds = calibrate(plan, launch);
  }
  return measured(speeds, plan);
}

void apply(const std::string& text, const std::string& option, SweepPlan& plan,
           const std::optional<KnownSpeeds>& speeds, int parallel) {
  if (text.empty()) return;
  const Budget budget = parse_budget(text, option);
  if (budget.needs_speeds() && !speeds) {
    plan.notes.push_back(fmt::format(
        "how many cells the budget of {} pays for is measured when the sweep starts, or now with "
        "--calibrate; --rate gives a speed",
        text));
    return;
  }
  apply_budget(plan, budget, speeds ? speeds->rates : Rates{}, parallel);
}

bool needs_speeds(const std::string& budget, const std::string& option) {
  return !budget.empty() && parse_budget(budget, option).needs_speeds();
}

}  // namespace

std::optional<KnownSpeeds> select_cells(SweepPlan& plan, const SelectionOptions& options,
                                        const LaunchOptions& launch, const SweepNote& note) {
  const std::string of_file = options.budget.empty() ? plan.study.budget : "";
  const std::string in_file = plan.study.name + ": budget";
  const bool needed = needs_speeds(of_file, in_file) || needs_speeds(options.budget, "--budget");
  take_from_tables(plan, options.have);
  auto speeds = known_speeds(plan, options, needed, launch, note);
  apply(of_file, in_file, plan, speeds, launch.parallel);
  keep_only(plan, options.only);
  apply(options.budget, "--budget", plan, speeds, launch.parallel);
  return speeds;
}

}  // namespace bitlaw
