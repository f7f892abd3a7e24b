#include "fit/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

// The shortest that holds both.
Interval union_of(const Interval& of_draws, const Interval& allowed) {
  if (!std::isfinite(of_draws.low)) return {allowed.low, allowed.high};
  return {std::min(of_draws.low, allowed.low), std::max(of_draws.high, allowed.high)};
}

// Of a constant that was fitted, or that was kept and moves along with others.
void set_interval(const AllowedRange* range, std::vector<double> sample, double level,
                  FittedParameter& out) {
  const bool with_interval = !sample.empty();
  Interval interval = percentile_interval(std::move(sample), level);
  if (range && !range->regular) {
    if (with_interval) interval = union_of(interval, {range->low, range->high});
    out.identified = range->identified();
    out.low_open = range->low_open, out.high_open = range->high_open;
  }
  out.low = interval.low, out.high = interval.high;
}

void note_not_identified(const Fit& fit, std::vector<std::string>& notes) {
  std::vector<std::string> names;
  for (const FittedParameter& p : fit.parameters) {
    if (!p.identified && p.frozen.empty()) names.push_back(p.name);
  }
  if (names.empty()) return;
  notes.push_back(fmt::format(
      "The rows do not identify {}: over most of the range above, other constants make up for a "
      "change of {}, so no single value is given.",
      fmt::join(names, ", "), names.size() == 1 ? "it" : "them"));
}

}  // namespace

Interval widened(const Interval& of_draws, const Interval& allowed, bool logarithmic) {
  constexpr double kMuch = 1.5;
  if (!std::isfinite(allowed.low) || !std::isfinite(allowed.high)) return of_draws;
  if (!std::isfinite(of_draws.low)) return union_of(of_draws, allowed);
  const auto length = [&](double low, double high) {
    return logarithmic && low > 0 ? std::log(high / low) : high - low;
  };
  if (length(allowed.low, allowed.high) <= kMuch * length(of_draws.low, of_draws.high))
    return of_draws;
  return union_of(of_draws, allowed);
}

void add_parameters(const FittedStages& stages, const std::vector<double>& values,
                    const FitOptions& options, Fit& fit) {
  const Law& law = *stages.training->law;
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const int at = static_cast<int>(i);
    const bool training = law.parameters[i].stage == Stage::kTraining;
    const StageFit& stage = training ? fit.training : fit.post;
    const StageSetup& setup = training ? *stages.training : *stages.post;
    const Allowed& allowed = training ? stages.allowed->training : stages.allowed->post;
    FittedParameter p;
    p.name = law.parameters[i].name;
    p.value = values[i];
    const int tied_to = stages.choice->tied_to[i];
    const std::string& reason = stages.choice->reasons[i];
    if (tied_to >= 0) {
      p.tied_to = law.parameters[static_cast<size_t>(tied_to)].name;
    } else if (!is_free(setup, at)) {
      p.frozen = reason.empty() ? "no rows to fit it to" : reason;
    }
    if (p.frozen.empty()) {
      std::vector<double> sample;
      for (const std::vector<double>& draw : fit.draws) sample.push_back(draw[i]);
      set_interval(allowed.range(tied_to >= 0 ? tied_to : at), std::move(sample),
                   stage.drawn(options.level), p);
    } else if (!p.frozen.empty() && allowed.range(at)) {
      p.identified = false;
    }
    fit.parameters.push_back(std::move(p));
  }
  note_not_identified(fit, fit.notes);
}

}  // namespace bitlaw
