#include "table/pooling_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/number.h"
#include "base/text.h"

namespace bitlaw {
namespace {

constexpr size_t kTried = 6;       // values of a factor for which a condition is tried
constexpr size_t kMostTries = 60;  // of conditions together
constexpr size_t kMostListed = 5;  // values in a condition

// A condition on a factor's column.
struct Selection {
  size_t factor = 0;  // its place
  std::string text;
  std::set<std::string> fields;  // what it names
  bool keeps = true;             // or leaves out

  bool holds(const FactorRow& row) const { return (fields.count(row.fields[factor]) > 0) == keeps; }
};

// The fields that mean these values, as a condition lists them; empty if it cannot.
std::optional<std::string> listed(const std::set<std::string>& fields) {
  std::map<double, std::string> numbers;
  bool listable = !fields.empty();
  for (const std::string& field : fields) {
    if (const auto number = parse_finite(field)) numbers[*number] = fmt::format("{:.12g}", *number);
    listable &= field.find(',') == std::string::npos && field.find("..") == std::string::npos &&
                field.find('\'') == std::string::npos;
  }
  if (!listable) return std::nullopt;
  std::vector<std::string> out(fields.begin(), fields.end());
  if (numbers.size() < fields.size() && !numbers.empty()) numbers.clear();
  if (!numbers.empty()) {
    out.clear();
    for (const auto& [number, text] : numbers) out.push_back(text);
  }
  if (out.size() > kMostListed) return std::nullopt;
  return fmt::format("{}", fmt::join(out, ","));
}

std::vector<Selection> selections_of(const PooledFactor& pooled,
                                     const std::vector<FactorRow>& merged) {
  const size_t place = pooled.factor->index();
  std::map<std::string, std::set<std::string>> fields;  // of each value
  std::map<std::string, int> rows;
  for (const FactorRow& row : merged) {
    if (row.values[place].empty()) continue;
    fields[row.values[place]].insert(row.fields[place]);
    ++rows[row.values[place]];
  }
  std::vector<std::pair<std::string, int>> values = pooled.values;
  std::stable_sort(values.begin(), values.end(), [&](const auto& a, const auto& b) {
    return std::pair(a.second, rows[a.first]) > std::pair(b.second, rows[b.first]);
  });
  const auto is_pooled = [all = pooled.values](const std::string& value) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& each) { return each.first == value; });
  };
  if (values.size() > kTried) values.resize(kTried);
  std::vector<Selection> out;
  for (const bool keeps : {true, false}) {
    for (const auto& [value, count] : values) {
      Selection selection{place, "", {}, keeps};
      for (const auto& [other, spellings] : fields) {
        // What is not in the way stays: BF16 beside the formats of 4 bits, say.
        if (keeps ? other == value : other != value && is_pooled(other))
          selection.fields.insert(spellings.begin(), spellings.end());
      }
      const auto text = listed(selection.fields);
      if (!text) continue;
      selection.text = fmt::format("{}{}{}", pooled.name, keeps ? "=" : "!=", *text);
      out.push_back(std::move(selection));
    }
  }
  return out;
}

// What a study needs that rows may lose.
struct Contents {
  bool several = false;  // precisions
  bool at_one_size = false;
  bool reference = false;

  bool operator<=(const Contents& other) const {
    return several <= other.several && at_one_size <= other.at_one_size &&
           reference <= other.reference;
  }
};

Contents contents_of(const std::vector<FactorRow>& rows) {
  std::set<std::string> precisions;
  std::map<std::pair<double, double>, std::set<std::string>> at;
  Contents out;
  for (const FactorRow& row : merge_numbers(rows)) {
    precisions.insert(row.precision);
    out.at_one_size |= at[{row.params, row.tokens}].insert(row.precision).second &&
                       at[{row.params, row.tokens}].size() > 1;
    out.reference |= row.label == "BF16";
  }
  out.several = precisions.size() > 1;
  return out;
}

bool may_be_used(const std::vector<FactorRow>& rows, const MayDiffer& may) {
  const auto is_allowed = [&](const PooledFactor& pooled) {
    const auto among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), pooled.factor->name) != names.end();
    };
    return pooled.factor->varies == Varies::kFreely || among(may.pooled) || among(may.modelled);
  };
  const std::vector<PooledFactor> pooled = pooled_factors(rows);
  return std::all_of(pooled.begin(), pooled.end(), is_allowed);
}

std::string for_shell(const std::string& condition) {
  const bool plain =
      condition.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=,.+-/:@%") ==
      std::string::npos;
  return plain ? condition : "'" + condition + "'";
}

// The next choice of one selection for each factor, the first ones changing slowest.
bool advance(std::vector<size_t>& choice, const std::vector<std::vector<Selection>>& selections) {
  for (size_t i = choice.size(); i-- > 0;) {
    if (++choice[i] < selections[i].size()) return true;
    choice[i] = 0;
  }
  return false;
}

std::string conditions_for(const std::vector<FactorRow>& rows,
                           const std::vector<PooledFactor>& refused, const MayDiffer& may,
                           const std::string& filter) {
  const std::vector<FactorRow> merged = merge_numbers(rows);
  const Contents wanted = contents_of(rows);
  std::vector<std::vector<Selection>> selections;
  for (const PooledFactor& pooled : refused) {
    selections.push_back(selections_of(pooled, merged));
    if (selections.back().empty()) return "";
  }
  std::vector<size_t> choice(selections.size(), 0);
  for (size_t tries = 0; tries < kMostTries; ++tries) {
    std::vector<FactorRow> kept = rows;
    std::vector<std::string> texts;
    for (size_t i = 0; i < choice.size(); ++i) {
      const Selection& selection = selections[i][choice[i]];
      std::erase_if(kept, [&](const FactorRow& row) { return !selection.holds(row); });
      texts.push_back(filter + for_shell(selection.text));
    }
    if (!kept.empty() && wanted <= contents_of(kept) && may_be_used(kept, may))
      return fmt::format("{}", fmt::join(texts, " "));
    if (!advance(choice, selections)) break;
  }
  return "";
}

// A factor that takes many values at one N, D and precision was searched over.
bool is_grid(const std::vector<PooledFactor>& refused) {
  constexpr size_t kFewestValues = 4;
  return std::any_of(refused.begin(), refused.end(), [](const PooledFactor& pooled) {
    return pooled.factor->varies == Varies::kBySize &&
           pooled.where == PooledFactor::kAtOnePrecision && pooled.values.size() >= kFewestValues;
  });
}

}  // namespace

std::string pooling_advice(const std::vector<FactorRow>& rows,
                           const std::vector<PooledFactor>& refused, const MayDiffer& may,
                           const std::string& filter) {
  std::vector<std::string> names;
  for (const PooledFactor& pooled : refused) names.push_back(pooled.name);
  const std::string pool = fmt::format("--pool {}", fmt::join(names, ","));
  if (filter == "--where " && is_grid(refused))
    return fmt::format("give --replicates best, for the best run of each N, D and precision, or {}",
                       pool);
  const std::string conditions = conditions_for(rows, refused, may, filter);
  if (!conditions.empty()) return fmt::format("give {} or {}", conditions, pool);
  return fmt::format(
      "no value of {} has rows of what is compared, such as BF16 and fewer bits at one size; "
      "give {}",
      names.size() == 1 ? "it" : "them", pool);
}

}  // namespace bitlaw
