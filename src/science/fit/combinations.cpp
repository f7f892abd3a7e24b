#include "fit/combinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "fit/equal_parts.h"
#include "fit/intervals.h"
#include "laws/effective.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

const FittedParameter* find(const Fit& fit, const std::string& name) {
  for (const FittedParameter& p : fit.parameters) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

bool is_open(const Fit& fit, const std::string& name) {
  const FittedParameter* p = find(fit, name);
  return p && p->frozen.empty() && (!p->identified || p->low_open || p->high_open);
}

double only_value(const std::vector<Observation>& rows, double Observation::*field) {
  const double first = rows.front().*field;
  const bool all = std::all_of(rows.begin(), rows.end(),
                               [&](const Observation& row) { return row.*field == first; });
  return all ? first : kUnknown;
}

void add_quantity(const std::string& name, const std::string& unit, const StageFit& stage,
                  const std::vector<double>& values, double level,
                  const std::function<double(const double*)>& of, Fit& fit) {
  Derived derived{.name = name, .unit = unit, .value = of(values.data())};
  std::vector<double> sample;
  for (const std::vector<double>& draw : fit.draws) sample.push_back(of(draw.data()));
  const Interval interval = percentile_interval(std::move(sample), stage.drawn(level));
  derived.low = interval.low, derived.high = interval.high;
  if (std::isfinite(derived.value)) fit.derived.push_back(std::move(derived));
}

// "gamma_a=gamma_w", for the constants that are fitted.
std::vector<std::string> ties_for(const FittedStages& stages, const Fit& fit) {
  std::vector<std::string> out;
  std::set<int> tied;
  const Law& law = *stages.training->law;
  for (const Exchange& exchange : exchanges_of(*stages.training, stages.rows->training)) {
    for (const auto& [one, other] : exchange) {
      if (tied.contains(one) || !tied.insert(other).second) continue;
      out.push_back(fmt::format("{}={}", law.parameters[static_cast<size_t>(other)].name,
                                law.parameters[static_cast<size_t>(one)].name));
    }
  }
  if (is_open(fit, "alpha") && is_open(fit, "beta")) out.emplace_back("beta=alpha");
  return out;
}

void add_ties(const Law& unbound, const FittedStages& stages, const std::vector<Observation>& runs,
              FitOptions options, const ParallelFor& parallel_for, Fit& fit) {
  if (!options.tie.empty() || options.joint) return;
  const std::vector<std::string> ties = ties_for(stages, fit);
  if (ties.empty()) return;
  options.tie = ties;
  options.hold_out = false;
  options.profile.clear();
  if (options.objective == "huber") options.huber_delta = fit.threshold;
  const Fit tied = fit_law(unbound, runs, options, parallel_for);
  std::vector<std::string> told;
  for (const std::string& tie : ties) {
    const size_t sign = tie.find('=');
    const std::string name = tie.substr(sign + 1), other = tie.substr(0, sign);
    const FittedParameter* p = find(tied, name);
    if (!p || !p->identified) continue;
    told.push_back(name + " = " + other);
    fit.derived.push_back({.name = name + " = " + other + ", tied",
                           .value = p->value,
                           .low = p->low_open ? kUnknown : p->low,
                           .high = p->high_open ? kUnknown : p->high});
  }
  if (told.empty()) return;
  fit.notes.push_back(
      fmt::format("The rows identify {} once they are tied, at an objective of {:.6g} instead of "
                  "{:.6g}; to fit "
                  "them so: --tie {}.",
                  fmt::join(told, " and "), tied.training.objective, fit.training.objective,
                  fmt::join(ties, ",")));
}

}  // namespace

void add_combinations(const Law& unbound, const FittedStages& stages,
                      const std::vector<Observation>& runs, const std::vector<double>& values,
                      const FitOptions& options, const ParallelFor& parallel_for, Fit& fit) {
  const Law& law = *stages.training->law;
  const std::vector<Observation>& rows = stages.rows->training;
  const bool open = std::any_of(fit.parameters.begin(), fit.parameters.end(), [&](const auto& p) {
    return !p.identified &&
           parameter_index(law, p.name) < static_cast<int>(law.training_parameters);
  });
  if (!open || rows.empty() || fit.draws.empty() || law.predicts != Predicts::kLoss) return;
  const auto add = [&](const std::string& name, const std::function<double(const double*)>& of) {
    add_quantity(name, "nats", fit.training, values, options.level, of, fit);
  };
  const int e = parameter_index(law, "E"), b = parameter_index(law, "B"),
            beta = parameter_index(law, "beta");
  // In a formula of one's own these names may mean anything.
  const bool sums = !law.own && e >= 0 && b >= 0 && beta >= 0;
  Observation middle = middle_of(rows).run;
  if (const double tokens = only_value(rows, &Observation::tokens); sums && tokens > 0) {
    add(fmt::format("E + B/D^beta at D = {:.4g}", tokens),
        [=](const double* p) { return p[e] + p[b] * std::pow(tokens, -p[beta]); });
  }
  if (const double params = only_value(rows, &Observation::params);
      sums && params > 0 && parameter_index(law, "A") >= 0) {
    Observation run = middle;
    run.params = params;
    add(fmt::format("E + A/N^alpha at N = {:.4g}", params), [=, &law](const double* p) {
      return predict(law, p, run) - p[b] * std::pow(run.tokens, -p[beta]);
    });
  }
  std::string precision = "not quantized";
  const auto alike = [&](const Observation& row) {
    const Observation& first = rows.front();
    return have_equal_bits(row, first) && row.precision == first.precision &&
           row.backward == first.backward && row.optimizer == first.optimizer;
  };
  if (std::all_of(rows.begin(), rows.end(), alike)) {
    const double params = middle.params, tokens = middle.tokens;
    middle = rows.front();
    middle.params = params, middle.tokens = tokens;
    precision = "at the rows' precision";
  }
  add(fmt::format("loss at N = {:.3g}, D = {:.3g}, {}", middle.params, middle.tokens, precision),
      [&law, middle](const double* p) { return predict(law, p, middle); });
  add_ties(unbound, stages, runs, options, parallel_for, fit);
}

}  // namespace bitlaw
