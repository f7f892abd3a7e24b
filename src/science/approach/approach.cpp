#include "approach/approach.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "approach/budgets.h"
#include "approach/law_optimum.h"
#include "base/error.h"
#include "base/statistics.h"
#include "fit/bootstrap.h"
#include "laws/bind.h"
#include "laws/fixed_params.h"
#include "laws/part_bits.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

std::string precision_words(const Observation& row) {
  if (!row.precision.empty()) return row.precision;
  const std::string bits = bits_in_words(row);
  return bits.empty() ? "not quantized" : bits;
}

// `isoflop`: nothing but budgets is asked for.
void must_be_of_one_precision(const std::vector<Observation>& rows, bool isoflop,
                              const ApproachOptions& options) {
  std::set<std::string> classes;
  for (const Observation& row : rows) classes.insert(precision_words(row));
  if (classes.size() < 2) return;
  const auto has_budget = [&](const std::string& name) {
    std::vector<Observation> of_one;
    for (const Observation& row : rows) {
      if (precision_words(row) == name) of_one.push_back(row);
    }
    std::vector<std::string> unused;
    return !fit_isoflop(isoflop_runs(of_one, options, unused).runs, options).budgets.empty();
  };
  // What would be refused next is said at once.
  if (isoflop && std::none_of(classes.begin(), classes.end(), has_budget)) {
    throw Error(fmt::format(
        "--approach isoflop: the rows differ in precision, and no precision has a budget of three "
        "sizes, C being one budget where it differs by at most {:.3g} %; --approach parametric "
        "needs no budgets, on the rows of one precision (--where bits=16)",
        100 * options.budget_tolerance));
  }
  std::vector<std::string> some(classes.begin(), classes.end());
  if (some.size() > 4) some.resize(4), some.emplace_back("...");
  throw Error(fmt::format(
      "--approach: the rows differ in precision ({}), and an optimum is of one; --where bits=16, "
      "--where P_w=4 or --where precision=NAME keeps one",
      fmt::join(some, "; ")));
}

// C / (N D) of the rows; 6 without a column of C, or if C has nothing to do with N D.
double ratio_of(const std::vector<Observation>& rows, const std::string& params,
                std::vector<std::string>& notes) {
  constexpr double kMostSpread = 2;
  if (rows.empty()) return 6;
  std::vector<double> ratios;
  for (const Observation& row : rows)
    ratios.push_back(row.compute / (params_counted(row, params) * row.tokens));
  if (std::any_of(ratios.begin(), ratios.end(), [](double each) { return std::isnan(each); }))
    return 6;
  std::sort(ratios.begin(), ratios.end());
  if (ratios.back() > kMostSpread * ratios.front()) {
    notes.push_back(
        fmt::format("C of the table is {:.3g} to {:.3g} times N D, so it is not the compute of "
                    "these rows: 6 N D "
                    "is used.",
                    ratios.front(), ratios.back()));
    return kUnknown;
  }
  const double middle = percentile(ratios, 0.5);
  if (std::abs(middle / 6 - 1) > 0.02)
    notes.push_back(fmt::format("C is that of the table, {:.3g} N D in the middle.", middle));
  return middle;
}

std::vector<SizedRun> sized(const std::vector<Observation>& rows, const ApproachOptions& options,
                            bool own_compute) {
  std::vector<SizedRun> out;
  const std::vector<int> clusters = number_clusters(rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double params = params_counted(rows[i], options.params);
    if (!(params > 0))
      throw Error(fmt::format(
          "--params {}: a row has no {}; leave --params out to count without embeddings",
          options.params, options.params == "flops" ? "C" : "N_total"));
    const double compute = own_compute ? rows[i].compute : 6 * params * rows[i].tokens;
    out.push_back({params, rows[i].tokens, compute, rows[i].loss_nats, clusters[i]});
  }
  return out;
}

OptimaDraw optima_of(const Law& law, const std::vector<double>& p, double ratio,
                     const Observation& like, const std::vector<OptimumAt>& at) {
  OptimaDraw out{kUnknown, kUnknown, {}, {}};
  for (const OptimumAt& each : at) {
    const double log_params = log_best_params(law, p.data(), each.compute, ratio, like);
    out.log_params.push_back(log_params);
    out.log_tokens.push_back(std::log(each.compute / ratio) - log_params);
  }
  const double up = log_best_params(law, p.data(), at[0].compute * M_E, ratio, like),
               down = log_best_params(law, p.data(), at[0].compute / M_E, ratio, like);
  out.a = (up - down) / 2, out.b = 1 - out.a;
  return out;
}

// The law fitted to the rows; `missing` says why there is none.
struct FittedLaw {
  std::optional<Fit> fit;
  std::string missing;
  std::optional<BoundLaw> bound;
};

FittedLaw fit_rows(const Law& law, const std::vector<Observation>& rows, const FitOptions& fitting,
                   const ParallelFor& parallel_for) {
  FittedLaw out;
  try {
    out.fit = fit_law(law, rows, fitting, parallel_for);
    out.bound.emplace(bind_law(law, rows));
  } catch (const Error& error) {
    out.missing = error.what();
  }
  return out;
}

// Rows with N as the fit counts it.
std::vector<Observation> counted(std::vector<Observation> rows, const std::string& params) {
  for (Observation& row : rows) {
    if (params == "total") count_all_params(row);
    if (params == "flops") count_params_by_compute(row);
  }
  return rows;
}

Optima parametric_optima(const std::vector<Observation>& rows, double ratio,
                         const ApproachOptions& options, const FittedLaw& fitted,
                         const ParallelFor& parallel_for) {
  Optima out;
  if (!fitted.fit) {
    out.missing = fitted.missing;
    return out;
  }
  const Fit& fit = *fitted.fit;
  const auto exponent =
      std::find_if(fit.derived.begin(), fit.derived.end(),
                   [](const Derived& each) { return each.name.starts_with("a of N*"); });
  if (exponent != fit.derived.end() && std::isnan(exponent->value)) {
    out.missing = "the rows do not identify the exponents of " + fit.law;
    return out;
  }
  std::vector<double> budgets;
  for (const Observation& row : rows) budgets.push_back(ratio * row.params * row.tokens);
  out.least_compute = *std::min_element(budgets.begin(), budgets.end());
  out.most_compute = *std::max_element(budgets.begin(), budgets.end());
  out.at = budgets_asked(options, out.most_compute);
  const Law& law = fitted.bound->law();
  const OptimaDraw best = optima_of(law, fit.values(), ratio, rows[0], out.at);
  if (std::isnan(best.a)) {
    out.missing = fit.law + " has no optimum of N and D at these budgets";
    return out;
  }
  std::vector<OptimaDraw> draws(fit.draws.size());
  const auto task = [&](int64_t i) {
    draws[i] = optima_of(law, fit.draws[i], ratio, rows[0], out.at);
  };
  if (parallel_for) {
    parallel_for(static_cast<int64_t>(draws.size()), task);
  } else {
    for (int64_t i = 0; i < static_cast<int64_t>(draws.size()); ++i) task(i);
  }
  summarise(best, draws, fit.training.drawn(options.level), out);
  for (const FittedParameter& each : fit.parameters) {
    if (!each.identified)
      out.notes.push_back(fmt::format("The rows do not identify {} of {}.", each.name, fit.law));
  }
  return out;
}

// Points along a learning curve are no runs that ended at their budget: of each curve the last counts.
std::vector<Observation> ends_of_curves(const std::vector<Observation>& rows,
                                        const ApproachOptions& options,
                                        std::vector<std::string>& notes) {
  std::map<std::string, double> last;
  for (const LearningCurve& curve : learning_curves(rows, options))
    last[curve.run] = curve.tokens.back();
  std::vector<Observation> out;
  for (const Observation& row : rows) {
    const auto curve = last.find(row.cluster);
    if (curve == last.end() || row.tokens == curve->second) out.push_back(row);
  }
  if (out.size() < rows.size())
    notes.push_back(
        fmt::format("{} points along {} learning curves are left out, because a run that "
                    "ended there would "
                    "have another loss.",
                    rows.size() - out.size(), last.size()));
  return out;
}

struct Named {
  const char* name;
  const Optima* optima;
};

// Whether two estimates differ by more than their intervals, as if they were independent: fits of the
// same rows differ by less.
std::string verdict(const Named& one, const Named& other) {
  const auto half = [](const Estimate& each) { return 0.5 * (each.high - each.low); };
  const Estimate &a = one.optima->a, &b = other.optima->a;
  const double apart = std::abs(a.value - b.value), error = std::hypot(half(a), half(b));
  if (!std::isfinite(error))
    return fmt::format(
        "{} and {} give a = {:.3f} and {:.3f}; without both intervals nothing says "
        "whether they agree.",
        one.name, other.name, a.value, b.value);
  std::string out =
      fmt::format("{} and {} {}agree on a: {:.3f} and {:.3f} are {:.3f} apart, {} {:.3f}", one.name,
                  other.name, apart <= error ? "" : "do not ", a.value, b.value, apart,
                  apart <= error ? "within" : "beyond", error);
  const Estimate &n = one.optima->at[0].params, &m = other.optima->at[0].params;
  const double ratio = std::log(m.value / n.value);
  const double limit = std::hypot(0.5 * std::log(n.high / n.low), 0.5 * std::log(m.high / m.low));
  if (std::isfinite(limit)) {
    out += fmt::format(
        "; on N_opt at {:.3g} FLOP {}: {:.3g} and {:.3g}, a factor {:.2f}, {} {:.2f}",
        one.optima->at[0].compute, std::abs(ratio) <= limit ? "they agree" : "they do not", n.value,
        m.value, std::exp(std::abs(ratio)), std::abs(ratio) <= limit ? "within" : "beyond",
        std::exp(limit));
  }
  return out + " (errors taken as independent).";
}

std::vector<std::string> verdicts_of(const Approaches& all) {
  std::vector<Named> known;
  for (const Named& each :
       {Named{"isoflop", &all.isoflop.optima}, Named{"envelope", &all.envelope.optima},
        Named{"parametric", &all.parametric}}) {
    const bool asked = std::find(all.asked.begin(), all.asked.end(), each.name) != all.asked.end();
    if (asked && each.optima->known()) known.push_back(each);
  }
  std::vector<std::string> out;
  for (size_t i = 0; i < known.size(); ++i) {
    for (size_t j = i + 1; j < known.size(); ++j) out.push_back(verdict(known[i], known[j]));
  }
  if (all.asked.size() > 1 && known.size() < 2)
    out.push_back(
        fmt::format("{} of the approaches {} exponents, so nothing can be held against "
                    "anything.",
                    known.empty() ? "None" : "Only one", known.empty() ? "has" : "has"));
  return out;
}

std::vector<std::string> asked_of(const std::string& approach) {
  if (approach == "all") return {std::begin(kApproaches), std::end(kApproaches)};
  if (std::find(std::begin(kApproaches), std::end(kApproaches), approach) == std::end(kApproaches))
    throw Error(
        fmt::format("--approach {}: expected {} or all", approach, fmt::join(kApproaches, ", ")));
  return {approach};
}

}  // namespace

bool nothing_found(const Approaches& all) {
  const auto known = [&](const char* name, const Optima& optima) {
    return std::find(all.asked.begin(), all.asked.end(), name) != all.asked.end() && optima.known();
  };
  return !known("isoflop", all.isoflop.optima) && !known("envelope", all.envelope.optima) &&
         !known("parametric", all.parametric) &&
         std::none_of(all.isoflop.budgets.begin(), all.isoflop.budgets.end(),
                      [](const IsoflopBudget& each) { return each.has_minimum(); });
}

IsoflopRuns isoflop_runs(const std::vector<Observation>& rows, const ApproachOptions& options,
                         std::vector<std::string>& notes) {
  const double ratio = ratio_of(rows, options.params, notes);
  const bool own_compute =
      !std::isnan(ratio) && std::none_of(rows.begin(), rows.end(), [](const Observation& row) {
        return std::isnan(row.compute);
      });
  IsoflopRuns out{.rows = ends_of_curves(rows, options, notes), .runs = {}};
  out.runs = sized(out.rows, options, own_compute);
  if (!std::isnan(ratio)) out.compute_ratio = ratio;
  return out;
}

IsoflopFit isoflop_of(const IsoflopRuns& runs, const ApproachOptions& options, const Law* law,
                      const std::vector<double>& values) {
  if (law == nullptr || runs.rows.empty()) return fit_isoflop(runs.runs, options, nullptr);
  const std::vector<Observation> rows = counted(runs.rows, options.params);
  LawAlong along{.compute_ratio = runs.compute_ratio};
  for (const Observation& row : rows) along.loss_nats.push_back(predict(*law, values.data(), row));
  along.log_params = [&](double compute) {
    return log_best_params(*law, values.data(), compute, runs.compute_ratio, rows[0]);
  };
  return fit_isoflop(runs.runs, options, &along);
}

Approaches fit_approaches(const std::string& approach, const std::vector<Observation>& given,
                          std::vector<LearningCurve> curves, const ApproachOptions& options_given,
                          const Law& law, const FitOptions& fit, const ParallelFor& parallel_for) {
  Approaches out;
  out.asked = asked_of(approach);
  const auto asked = [&](const char* name) {
    return std::find(out.asked.begin(), out.asked.end(), name) != out.asked.end();
  };
  std::vector<Observation> rows;
  std::copy_if(given.begin(), given.end(), std::back_inserter(rows),
               [](const Observation& row) { return !row.is_post_training() && row.loss_nats > 0; });
  if (rows.empty()) throw Error("--approach: no row has a loss of a run");
  if (rows.size() < given.size())
    out.notes.push_back(fmt::format("{} rows of quantization after training are left out.",
                                    given.size() - rows.size()));
  ApproachOptions options = options_given;
  for (const double compute : options.compute) {
    if (!(compute > 0) || !std::isfinite(compute))
      throw Error(fmt::format("--compute: {:g} is not a number of FLOP above 0", compute));
  }
  if (!(options.budget_tolerance >= 0) || !std::isfinite(options.budget_tolerance))
    throw Error(fmt::format("--budget-tolerance: {:g} is not a share such as 0.1",
                            options.budget_tolerance));
  must_be_of_one_precision(rows, approach == "isoflop", options);
  const IsoflopRuns runs = isoflop_runs(rows, options, out.notes);
  out.compute_ratio = runs.compute_ratio;
  if (options.compute.empty()) {
    double most = 0;
    for (const SizedRun& run : runs.runs) most = std::max(most, run.compute);
    options.compute = {most, 10 * most};
  }
  FitOptions fitting = fit;
  if (!asked("parametric")) fitting.draws = 0;
  const bool of_runs = asked("isoflop") || asked("parametric");
  const FittedLaw fitted = of_runs ? fit_rows(law, runs.rows, fitting, parallel_for) : FittedLaw{};
  if (asked("isoflop")) {
    out.isoflop = isoflop_of(runs, options, fitted.fit ? &fitted.bound->law() : nullptr,
                             fitted.fit ? fitted.fit->values() : std::vector<double>());
  }
  if (asked("envelope")) {
    if (curves.empty()) curves = learning_curves(rows, options);
    out.envelope = fit_envelope(curves, out.compute_ratio, options);
  }
  if (asked("parametric")) {
    out.parametric_law = law.name;
    out.parametric = parametric_optima(counted(runs.rows, options.params), out.compute_ratio,
                                       options, fitted, parallel_for);
  }
  out.verdicts = verdicts_of(out);
  return out;
}

}  // namespace bitlaw
