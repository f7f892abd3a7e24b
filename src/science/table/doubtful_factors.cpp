#include "table/doubtful_factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace bitlaw {
namespace {

constexpr size_t kValuesShown = 3;  // values of a factor at one precision, in a note

// The values of a factor at one precision, and the sizes at which it is known.
struct Known {
  std::set<std::string> values;
  std::set<std::pair<double, double>> sizes;
};
using KnownByPrecision = std::map<std::string, Known>;

// `precision`: FactorRow::label, or bits. Rows in which the factor does not count are left out.
KnownByPrecision known_by(std::string FactorRow::*precision, const std::vector<FactorRow>& rows,
                          const Factor& factor) {
  KnownByPrecision out;
  for (const FactorRow& row : rows) {
    if (!row.counts[factor.index()]) continue;
    Known& known = out[row.*precision];
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

// The values at each precision that has several: "W4: int4, mxfp4".
std::string several_text(const KnownByPrecision& all) {
  std::vector<std::string> parts;
  for (const auto& [label, known] : all) {
    if (known.values.size() < 2) continue;
    std::vector<std::string> shown(known.values.begin(), known.values.end());
    if (shown.size() > kValuesShown) {
      shown.resize(kValuesShown);
      shown.emplace_back("...");
    }
    parts.push_back(fmt::format("{}: {}", label, fmt::join(shown, ", ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

// "3 of 8 rows" if the factor is known in some only of the rows in which it counts.
std::string known_in(const std::vector<FactorRow>& rows, const Factor& factor) {
  int counted = 0, known = 0;
  for (const FactorRow& row : rows) {
    counted += row.counts[factor.index()];
    known += !row.value(factor).empty();
  }
  return known == 0 || known == counted ? "" : fmt::format("{} of {} rows", known, counted);
}

// Where nothing is said, the model is the final one; the class is that of the bits; and some
// methods are not calibrated.
bool may_be_unknown(std::string_view factor) {
  return factor == "run_fraction" || factor == "precision" || factor == "backward" ||
         factor == "first_damping" || factor.starts_with("calibration_");
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

void note_doubtful_factors(const std::vector<FactorRow>& rows, const MayDiffer& may,
                           std::vector<std::string>& notes) {
  note_doubtful_among(merge_numbers(rows), may, notes);
}

void note_doubtful_among(const std::vector<FactorRow>& rows, const MayDiffer& may,
                         std::vector<std::string>& notes) {
  const std::vector<bool> known_anywhere = known_factors(rows);
  Doubts decided, partly, somewhere, by_size;
  for (const Factor& factor : factors()) {
    if (factor.varies == Varies::kFreely) continue;
    if (has(may.pooled, factor.name) || has(may.modelled, factor.name)) continue;
    if (!known_anywhere[factor.index()]) continue;
    const auto name = may.names.find(factor.name);
    const std::string shown = name == may.names.end() ? factor.name : name->second;
    const std::string places = may_be_unknown(factor.name) ? "" : known_in(rows, factor);
    if (factor.varies == Varies::kByPrecision) {
      const std::string several = several_text(known_by(&FactorRow::bits, rows, factor));
      if (!several.empty()) by_size.add(factor, shown, several);
      if (!places.empty()) somewhere.add(factor, shown, places);
      continue;
    }
    const KnownByPrecision known = known_by(&FactorRow::label, rows, factor);
    if (goes_with_precision(known)) decided.add(factor, shown, values_text(known));
    if (is_known_somewhere_only(known)) {
      partly.add(factor, shown, unknown_text(known));
    } else if (!places.empty()) {
      somewhere.add(factor, shown, places);
    }
  }
  const auto note = [&](const Doubts& doubts, const char* text) {
    if (doubts.any()) notes.push_back(fmt::format(fmt::runtime(text), doubts.list()));
  };
  note(decided,
       "Every precision has its own {}, and no N and D has two of the values: nothing tells its "
       "effect from that of the precision.");
  note(by_size,
       "Rows of the same bits differ in {}, though never at the same N and D: nothing tells its "
       "effect from that of N and D.");
  note(partly, "Known at some precisions only: {}; whether the rows are alike in it is not known.");
  note(somewhere, "Known in some rows only: {}; whether the others are alike in it is not known.");
}

}  // namespace bitlaw
