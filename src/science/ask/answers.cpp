#include "ask/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "ask/table_words.h"
#include "base/error.h"
#include "compare/rival.h"
#include "laws/fixed_params.h"
#include "record/factor.h"
#include "table/factors.h"

namespace bitlaw {
namespace {

// What P* was measured with: "granularity_a sequence, extra_norm true"; what is not known is left out.
std::string convention_of(const Table& table) {
  std::vector<std::string> words;
  for (const char* name : {"granularity_w", "granularity_a", "granularity_kv", "extra_norm"}) {
    const Factor* factor = find_factor(name);
    std::set<std::string> values;
    for (const FactorRow& row : table.factors) {
      if (factor && !row.value(*factor).empty()) values.insert(row.value(*factor));
    }
    if (!values.empty()) words.push_back(fmt::format("{} {}", name, fmt::join(values, " and ")));
  }
  return words.empty() ? "granularity and extra norm unknown"
                       : fmt::format("{}", fmt::join(words, ", "));
}

// A best precision is that of a law, a cost, a count of N and a way to quantize.
void explain_best_precision(const Law& law, const Table& table, Fit& fit) {
  const bool has_one = std::any_of(fit.derived.begin(), fit.derived.end(), [](const Derived& each) {
    return each.name.starts_with("P* ");
  });
  if (!has_one) return;
  fit.notes.push_back(fmt::format(
      "P* is that of {}, where a token costs 6 N P/16 FLOP, N counted {}, {}.{} `bitlaw compare` "
      "gives "
      "the range over the laws that describe these rows as well.",
      law.name, words_for_count(fit.params), convention_of(table),
      law.has_share ? " That it does not depend on the compute is a property of the form." : ""));
}

}  // namespace

FittedTable fit_table(const Table& table, const std::string& path, const Law& law,
                      const FitOptions& options, const ParallelFor& parallel_for) {
  must_have_something_to_fit(table, path);
  FittedTable out;
  out.fit = fit_law(law, table.runs, options, parallel_for);
  out.fit.classes.reference = table.reference;
  explain_best_precision(law, table, out.fit);
  if (const auto rival = better_form(out.fit, table.runs, options, parallel_for))
    out.fit.notes.push_back(rival->sentence);
  out.noise = pure_error(table.factors);
  const StageFit& training = out.fit.training;
  if (law.predicts != Predicts::kGap)
    out.lack = lack_of_fit(training.sse, training.points, training.free, out.noise);
  out.document = fit_to_json(out.fit);
  out.document["lack_of_fit"] = lack_of_fit_json(out.lack);
  out.document["table"] = table_json(table, path);
  return out;
}

Json residuals_document(const Table& table, const std::vector<RowResidual>& residuals,
                        const Fit& fit) {
  std::vector<Observation> rows;
  Json list = Json::array();
  for (const RowResidual& each : residuals) {
    rows.push_back(each.run);
    Json entry{{"row", table.factors[each.row].place}};
    if (!each.left_out.empty()) {
      entry["left_out"] = each.left_out;
    } else {
      entry.update({{"residual", json_number(each.residual)},
                    {"unit", each.unit},
                    {"of", each.of_delta ? "delta" : "loss"},
                    {"measured", json_number(each.measured)},
                    {"predicted", json_number(each.predicted)},
                    {"weight", each.weight},
                    {"standardised", json_number(each.standardised)},
                    {"outlier", each.outlier}});
    }
    list.push_back(std::move(entry));
  }
  Json columns = table_to_json(rows);
  for (const LeftOutRow& each : table.left_out) {
    list.push_back({{"row", each.place}, {"left_out", each.reason}});
    columns.push_back(nullptr);
  }
  return {{"residuals", std::move(list)},
          {"rows", std::move(columns)},
          {"threshold", json_number(fit.threshold)}};
}

std::vector<ExtraColumn> residual_columns(const Table& table,
                                          const std::vector<RowResidual>& residuals) {
  std::vector<ExtraColumn> out{{"row", {}},     {"fit_residual", {}}, {"residual_unit", {}},
                               {"weight", {}},  {"standardised", {}}, {"outlier", {}},
                               {"left_out", {}}};
  const auto number = [](double value) {
    return std::isfinite(value) ? fmt::format("{}", value) : std::string();
  };
  for (const RowResidual& each : residuals) {
    const bool used = each.left_out.empty();
    const std::vector<std::string> fields{fmt::format("{}", table.factors[each.row].place),
                                          number(each.residual),
                                          each.unit,
                                          used ? number(each.weight) : "",
                                          number(each.standardised),
                                          used ? (each.outlier ? "1" : "0") : "",
                                          each.left_out};
    for (size_t i = 0; i < out.size(); ++i) out[i].fields.push_back(fields[i]);
  }
  if (std::all_of(out.back().fields.begin(), out.back().fields.end(),
                  [](const std::string& field) { return field.empty(); }))
    out.pop_back();
  return out;
}

namespace {

// "", or what the schedule does to losses along a curve.
std::string about_schedule(const Table& table) {
  std::set<std::string> schedules;
  const Factor* const schedule = find_factor("schedule");
  BITLAW_CHECK(schedule != nullptr);
  for (const FactorRow& row : table.factors) schedules.insert(row.value(*schedule));
  schedules.erase("");
  if (schedules == std::set<std::string>{"constant"}) return "";
  const std::string what =
      schedules.empty()
          ? "The table does not say the schedule of the learning rate. Unless it is constant,"
          : fmt::format("The schedule of the learning rate is {}:", fmt::join(schedules, ", "));
  return "envelope: " + what +
         " the loss along a curve is not that of a run that ends there, whose rate has fallen, but "
         "higher; that favours sizes whose runs are near their end.";
}

}  // namespace

ApproachedTable approach_table(const Table& table, const std::string& path,
                               const std::string& approach, ApproachOptions options, const Law& law,
                               FitOptions fit, std::vector<LearningCurve> curves,
                               const ParallelFor& parallel_for) {
  must_have_something_to_fit(table, path);
  fit.hold_out = false, fit.profile = {};
  options.params = fit.params, options.draws = fit.draws, options.level = fit.level;
  options.seed = fit.seed;
  const bool own_runs = !curves.empty();
  ApproachedTable out;
  out.found =
      fit_approaches(approach, table.runs, std::move(curves), options, law, fit, parallel_for);
  if (approach != "isoflop" && approach != "parametric" && out.found.envelope.curves > 0) {
    if (const std::string about = about_schedule(table); !about.empty())
      out.found.notes.push_back(about);
    if (own_runs) out.found.notes.emplace_back("envelope: the curves are of the training loss.");
  }
  out.document = approaches_json(out.found);
  out.document["table"] = table_json(table, path);
  return out;
}

ComparedTable compare_table(const Table& table, const std::string& path,
                            const CompareOptions& options, const ParallelFor& parallel_for) {
  must_have_something_to_fit(table, path);
  ComparedTable out;
  out.comparison = compare_laws(table.runs, options, parallel_for);
  const PureError noise = pure_error(table.factors);
  out.document = comparison_json(out.comparison);
  Json lacks = Json::object();
  if (out.comparison.training && !options.gaps) {
    const ComparePart& training = *out.comparison.training;
    for (const ComparedLaw& law : training.laws) {
      const auto lack =
          law.fitted ? lack_of_fit(law.sse, training.points, law.k, noise) : std::nullopt;
      if (!lack) continue;
      lacks[law.name] = lack_of_fit_json(lack);
      out.lack += fmt::format("  {}: {}\n", law.name, lack_of_fit_text(*lack));
    }
  }
  out.document["lack_of_fit"] = std::move(lacks);
  out.document["table"] = table_json(table, path);
  return out;
}

DesignedTable design_table(const Table& table, const std::string& path,
                           const DesignOptions& options, const std::vector<Observation>& candidates,
                           const ParallelFor& parallel_for) {
  must_have_something_to_fit(table, path);
  DesignedTable out{design_runs(table.runs, options, candidates, parallel_for), {}};
  out.document = design_json(out.design);
  out.document["table"] = table_json(table, path);
  return out;
}

}  // namespace bitlaw
