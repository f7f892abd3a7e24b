#include "fit/masks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/condition.h"
#include "base/error.h"
#include "base/names.h"
#include "base/random.h"
#include "fit/bootstrap.h"
#include "laws/bind.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

using Masks = std::vector<std::vector<bool>>;

Condition condition_of(const std::string& text) {
  if (text.find_first_of("=!<>") == std::string::npos) {
    throw Error("hold_out: " + unknown_name("split", text,
                                            {"kfold", "largest-N", "largest-D", "bits", "class"},
                                            "known: kfold, largest-N, largest-D, bits, class, "
                                            "and conditions such as bits=3, class=W4A4, N>3e8"));
  }
  return observation_condition("hold_out", text);
}

bool holds(const Condition& condition, const Observation& row) {
  return ObservationFields(row).meet(condition);
}

bool some_but_not_all(const std::vector<bool>& mask) {
  const auto count = std::count(mask.begin(), mask.end(), true);
  return count > 0 && count < static_cast<long>(mask.size());
}

Masks folds_of_clusters(const std::vector<Observation>& rows, int folds, uint64_t seed) {
  const std::vector<int> cluster = number_clusters(rows);
  const int clusters = rows.empty() ? 0 : 1 + *std::max_element(cluster.begin(), cluster.end());
  if (clusters < 2) return {};
  // Clusters in random order are dealt out in turn.
  std::vector<std::pair<double, int>> order;
  for (int c = 0; c < clusters; ++c) order.emplace_back(random_uniform(seed, 1u << 30, c), c);
  std::sort(order.begin(), order.end());
  std::vector<int> fold_of(static_cast<size_t>(clusters));
  for (int i = 0; i < clusters; ++i) fold_of[order[i].second] = i % folds;
  Masks masks;
  for (int fold = 0; fold < std::min(folds, clusters); ++fold) {
    masks.emplace_back(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) masks.back()[i] = fold_of[cluster[i]] == fold;
  }
  return masks;
}

Masks largest(const std::vector<Observation>& rows, double (*size)(const Observation&)) {
  std::vector<double> sizes;
  for (const Observation& row : rows) sizes.push_back(size(row));
  std::sort(sizes.begin(), sizes.end());
  if (sizes.empty()) return {};
  double least = sizes.back();  // that is held out
  const size_t count = sizes.size();
  const auto of_largest = static_cast<size_t>(std::count(sizes.begin(), sizes.end(), least));
  const std::set<double> distinct(sizes.begin(), sizes.end());
  if (4 * distinct.size() > count && 20 * of_largest < count) least = sizes[count - count / 10];
  std::vector<bool> mask;
  for (const Observation& row : rows) mask.push_back(size(row) >= least);
  if (!some_but_not_all(mask)) return {};
  return {mask};
}

// Every value but that of rows that are not quantized.
Masks each_in_turn(const std::vector<Observation>& rows, const std::string& what) {
  const auto value = [&](const Observation& row) {
    return what == "class" ? class_of(row) : fmt::format("{:.17g}", least_bits(row));
  };
  std::set<std::string> values;
  for (const Observation& row : rows) {
    // A class may have a name that says no bits.
    const bool quantized =
        what == "class" ? !precision_class(row).empty() : least_bits(row) < kUnquantizedBits;
    if (quantized) values.insert(value(row));
  }
  Masks masks;
  for (const std::string& each : values) {
    masks.emplace_back();
    for (const Observation& row : rows) masks.back().push_back(value(row) == each);
    if (!some_but_not_all(masks.back())) masks.pop_back();
  }
  return masks;
}

std::string why_no_masks(const std::vector<Observation>& rows, const Condition& condition) {
  std::set<std::string> names;
  std::set<double> numbers;
  bool any = false;
  for (const Observation& row : rows) {
    any |= holds(condition, row);
    const ObservationFields fields(row);
    const Field field = fields.of(condition);
    if (std::isnan(field.number)) {
      names.emplace(field.text.empty() ? "nothing" : field.text);
    } else {
      numbers.insert(field.number);
    }
  }
  for (const double number : numbers) names.insert(fmt::format("{:.6g}", number));
  const bool continuous = condition.name() == "N" || condition.name() == "D";
  return fmt::format(
      "{} holds for {} row; {} is {}{}", condition.where(), any ? "every" : "no", condition.name(),
      numbers.size() > 12 ? fmt::format("{:.6g} to {:.6g}", *numbers.begin(), *numbers.rbegin())
                          : fmt::format("{}", fmt::join(names, ", ")),
      continuous && !any && condition.sign() == "="
          ? fmt::format("; {}>{} holds out all larger values", condition.name(),
                        condition.values()[0].text)
          : "");
}

bool is_each_in_turn(const std::string& text) {
  return text == "bits" || text == "class";
}

}  // namespace

void check_split(const std::string& text) {
  if (text == "kfold" || text == "largest-N" || text == "largest-D" || is_each_in_turn(text)) {
    return;
  }
  condition_of(text);
}

std::string why_no_masks(const std::vector<Observation>& rows, const std::string& text) {
  if (text == "kfold") return "hold_out: kfold needs two clusters of rows or more";
  if (text == "largest-N" || text == "largest-D") {
    return fmt::format("hold_out: all rows have the same {}", text.substr(8));
  }
  if (is_each_in_turn(text)) {
    return fmt::format("hold_out: {}: needs at least two precisions to hold out in turn", text);
  }
  return why_no_masks(rows, condition_of(text));
}

std::vector<std::vector<bool>> hold_out_masks(const std::vector<Observation>& rows,
                                              const std::string& text, int folds, uint64_t seed) {
  if (text == "kfold") return folds_of_clusters(rows, folds, seed);
  if (text == "largest-N") return largest(rows, [](const Observation& row) { return row.params; });
  if (text == "largest-D") return largest(rows, [](const Observation& row) { return row.tokens; });
  if (is_each_in_turn(text)) return each_in_turn(rows, text);
  const Condition condition = condition_of(text);
  std::vector<bool> mask;
  for (const Observation& row : rows) mask.push_back(holds(condition, row));
  if (!some_but_not_all(mask)) return {};
  return {mask};
}

}  // namespace bitlaw
