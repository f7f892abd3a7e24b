#include "ask/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ask/table_words.h"
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
