#include "table/doubtful_factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"

namespace bitlaw {
namespace {

// The values of a factor at one precision, and the sizes at which it is known.
struct Known {
  std::set<std::string> values;
  std::set<std::pair<double, double>> sizes;
};
using KnownByPrecision = std::map<std::string, Known>;

KnownByPrecision known_by_precision(const std::vector<FactorRow>& rows, const Factor& factor) {
  KnownByPrecision out;
  for (const FactorRow& row : rows) {
    Known& known = out[row.label];
    const std::string& value = row.value(factor);
    if (value.empty()) continue;
    known.values.insert(value);
    known.sizes.emplace(row.params, row.tokens);
  }
  return out;
}

// At several sizes of one precision: a rule of N and D would not often look so.
bool goes_with_precision(const KnownByPrecision& all) {
  std::set<std::string> values;
  bool several_sizes = false;
  for (const auto& [label, known] : all) {
    if (known.values.size() != 1) return false;
    values.insert(*known.values.begin());
    several_sizes = several_sizes || known.sizes.size() > 1;
  }
  return values.size() > 1 && several_sizes;
}

bool is_known_somewhere_only(const KnownByPrecision& all) {
  const auto unknown = std::count_if(all.begin(), all.end(),
                                     [](const auto& entry) { return entry.second.values.empty(); });
  return unknown > 0 && unknown < std::ssize(all);
}

std::string values_text(const KnownByPrecision& all) {
  std::vector<std::string> parts;
  for (const auto& [label, known] : all)
    parts.push_back(fmt::format("{}: {}", label, *known.values.begin()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string unknown_text(const KnownByPrecision& all) {
  std::vector<std::string> unknown;
  for (const auto& [label, known] : all) {
    if (known.values.empty()) unknown.push_back(label);
  }
  return fmt::format("not at {}", fmt::join(unknown, ", "));
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether a factor that decides this one is among the names.
bool follows_one_of(const Factor& factor, const std::vector<std::string>& names) {
  const std::vector<std::string> deciding = split(factor.follows, ' ');
  return std::any_of(deciding.begin(), deciding.end(),
                     [&](const std::string& name) { return has(names, name); });
}

// One sentence on the factors of a kind; those that follow from another of it are not named.
class Doubts {
 public:
  void add(const Factor& factor, const std::string& shown, const std::string& how) {
    const bool follows = follows_one_of(factor, names_);
    names_.emplace_back(factor.name);
    if (!follows) texts_.push_back(fmt::format("{} ({})", shown, how));
  }
  bool any() const { return !texts_.empty(); }
  std::string list() const { return fmt::format("{}", fmt::join(texts_, ", ")); }

 private:
  std::vector<std::string> names_, texts_;
};

}  // namespace

void note_doubtful_factors(const std::vector<FactorRow>& given, const MayDiffer& may,
                           std::vector<std::string>& notes) {
  const std::vector<FactorRow> rows = merge_numbers(given);
  Doubts decided, partly;
  for (const Factor& factor : factors()) {
    const bool of_training = factor.varies == Varies::kNever || factor.varies == Varies::kBySize;
    if (!of_training || has(may.pooled, factor.name) || has(may.modelled, factor.name)) continue;
    const KnownByPrecision known = known_by_precision(rows, factor);
    const auto name = may.names.find(factor.name);
    const std::string shown = name == may.names.end() ? factor.name : name->second;
    if (goes_with_precision(known)) decided.add(factor, shown, values_text(known));
    if (is_known_somewhere_only(known)) partly.add(factor, shown, unknown_text(known));
  }
  if (decided.any()) {
    notes.push_back(fmt::format(
        "Every precision has its own {}, and no N and D has two of the values: nothing tells its "
        "effect from that of the precision.",
        decided.list()));
  }
  if (partly.any()) {
    notes.push_back(fmt::format(
        "Known at some precisions only: {}; whether the rows are alike in it is not known.",
        partly.list()));
  }
}

}  // namespace bitlaw
