#include "fit/masks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>

#include "base/condition.h"
#include "base/error.h"
#include "base/names.h"
#include "base/random.h"
#include "fit/bootstrap.h"
#include "formats/precision.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

using Masks = std::vector<std::vector<bool>>;

double least_bits(const Observation& row) {
  const double trained = std::min({row.bits_weights, row.bits_activations, row.bits_kv});
  return row.is_post_training() ? std::min(trained, row.bits_post) : trained;
}

struct Column {
  const char* name;
  double (*of)(const Observation&);
};
constexpr Column kColumns[] = {
    {"N", [](const Observation& row) { return row.params; }},
    {"D", [](const Observation& row) { return row.tokens; }},
    {"bits", least_bits},
    {"P_w", [](const Observation& row) { return row.bits_weights; }},
    {"P_a", [](const Observation& row) { return row.bits_activations; }},
    {"P_kv", [](const Observation& row) { return row.bits_kv; }},
    {"P_post",
     [](const Observation& row) { return row.bits_post > 0 ? row.bits_post : kUnquantizedBits; }},
};
constexpr size_t kClass = std::size(kColumns);  // the place of the one column of text

// What a table may call the class: the name itself, "BF16" if it is not quantized.
std::string class_of(const Observation& row) {
  const std::string name = precision_class(row);
  return name.empty() ? "BF16" : name;
}

// A class may be asked for by any name of its precision, but not by an empty one.
bool is_same_class(std::string_view name, std::string_view asked) {
  return !asked.empty() && is_same_precision(name, asked);
}

std::optional<ColumnPlace> find_column(const std::string& name) {
  for (size_t i = 0; i < kClass; ++i) {
    if (name == kColumns[i].name) return ColumnPlace{i, ColumnPlace::kNumbers};
  }
  if (name == "class") return ColumnPlace{kClass, ColumnPlace::kText};
  return std::nullopt;
}

Condition condition_of(const std::string& text) {
  if (text.find_first_of("=!<>") == std::string::npos) {
    throw Error("hold_out: " + unknown_name("split", text,
                                            {"kfold", "largest-N", "largest-D", "bits", "class"},
                                            "known: kfold, largest-N, largest-D, bits, class, "
                                            "and conditions such as bits=3, class=W4A4, N>3e8"));
  }
  Condition condition("hold_out", text);
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.emplace_back(column.name);
  names.emplace_back("class");
  condition.find(find_column, names);
  if (condition.column() == kClass) condition.compare_text_by(is_same_class);
  return condition;
}

// The row's class, or its number, in the column of the condition.
bool holds(const Condition& condition, const Observation& row) {
  const std::string name = class_of(row);
  return condition.holds(condition.field_of([&](size_t column) {
    return column == kClass ? Field{name} : Field::of_number(kColumns[column].of(row));
  }));
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
  double most = 0;
  for (const Observation& row : rows) most = std::max(most, size(row));
  std::vector<bool> mask;
  for (const Observation& row : rows) mask.push_back(size(row) == most);
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
    if (least_bits(row) < kUnquantizedBits) values.insert(value(row));
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
    if (condition.column() == kClass) {
      names.insert(class_of(row));
    } else {
      numbers.insert(
          condition.field_of([&](size_t i) { return Field::of_number(kColumns[i].of(row)); })
              .number);
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
