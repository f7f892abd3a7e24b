#include "watch/law_so_far.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "laws/effective.h"
#include "laws/registry.h"
#include "record/result.h"
#include "table/factors.h"
#include "table/table.h"
#include "table/tidy_table.h"
#include "table/warnings.h"

namespace bitlaw {
namespace {

constexpr int64_t kStarts = 16;
constexpr const char* kBestBits = "P*";
// What a line has room for.
constexpr std::array<std::string_view, 4> kShown{"alpha", "beta", "E", kBestBits};

std::vector<TidyRow> finished_runs(const std::vector<TidyRow>& rows) {
  std::vector<TidyRow> out;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(out), [](const TidyRow& row) {
    return row.is_run() && !row.is_along() && row.status == name_of(RunStatus::kFinished);
  });
  return out;
}

// Empty if what all the others depend on ends at the edge of its range: then no value is found.
std::vector<ConstantSoFar> identified(const Fit& fit) {
  const Law& law = law_named(fit.law);
  std::vector<ConstantSoFar> out;
  for (const FittedParameter& each : fit.parameters) {
    if (!each.frozen.empty() || !each.tied_to.empty() || !std::isfinite(each.value)) continue;
    const int i = parameter_index(law, each.name);
    if (i < 0 || !at_edge(law.parameters[static_cast<size_t>(i)], each.value))
      out.push_back({.name = each.name, .value = each.value});
    else if (std::find(kShown.begin(), kShown.end(), each.name) != kShown.end())
      return {};
  }
  if (out.empty()) return out;
  for (const Derived& each : fit.derived) {
    if (!each.name.starts_with("P* (weights)") || !each.note.empty() || !std::isfinite(each.value))
      continue;
    if (is_end_of_bits(each.value)) break;
    out.push_back({.name = kBestBits, .value = each.value});
    break;
  }
  return out;
}

std::string constant_text(const ConstantSoFar& constant) {
  const bool bits = constant.name == kBestBits;
  std::string text =
      fmt::format("{} {:.3g}", bits ? "best precision" : constant.name, constant.value);
  if (bits) text += " bits";
  if (!std::isnan(constant.change)) text += fmt::format(" ({:+.1g})", constant.change);
  return text;
}

}  // namespace

std::optional<LawSoFar> law_so_far(const std::vector<TidyRow>& rows, const std::string& law,
                                   const ParallelFor& parallel_for) {
  const std::vector<TidyRow> runs = finished_runs(rows);
  if (runs.empty()) return std::nullopt;
  try {
    TableOptions how;
    how.may_differ.modelled = modelled_factors(law_named(law));
    const Table table = table_of(tidy_table(runs), "runs", how);
    if (!nothing_to_fit(table.runs).empty()) return std::nullopt;
    const Fit fit = fit_law(
        table.runs, {.law = law, .starts = kStarts, .draws = 0, .hold_out = false}, parallel_for);
    if (!fit.converged()) return std::nullopt;
    LawSoFar out{.law = fit.law, .runs = fit.training.points, .constants = identified(fit)};
    return out.constants.empty() ? std::nullopt : std::optional(out);
  } catch (const Error&) {  // too few rows, or rows that differ in a factor
    return std::nullopt;
  }
}

void compare(LawSoFar& now, const LawSoFar& before) {
  for (ConstantSoFar& constant : now.constants) {
    for (const ConstantSoFar& old : before.constants) {
      if (old.name == constant.name && now.law == before.law)
        constant.change = constant.value - old.value;
    }
  }
}

std::string text_of(const LawSoFar& law) {
  std::vector<std::string> shown;
  for (const std::string_view name : kShown) {
    for (const ConstantSoFar& constant : law.constants) {
      if (constant.name == name) shown.push_back(constant_text(constant));
    }
  }
  for (const ConstantSoFar& constant : law.constants) {
    if (shown.empty()) shown.push_back(constant_text(constant));
  }
  return fmt::format("{} on {} runs: {}", law.law, law.runs, fmt::join(shown, ", "));
}

}  // namespace bitlaw
