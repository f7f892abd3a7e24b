#include "fit/masks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "fit/bootstrap.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

using Masks = std::vector<std::vector<bool>>;

double least_bits(const Observation& row) {
  const double trained = std::min({row.bits_weights, row.bits_activations, row.bits_kv});
  return row.is_post_training() ? std::min(trained, row.bits_post) : trained;
}

struct Field {
  const char* name;
  double (*of)(const Observation&);
};
constexpr Field kFields[] = {
    {"N", [](const Observation& row) { return row.params; }},
    {"D", [](const Observation& row) { return row.tokens; }},
    {"D/N", [](const Observation& row) { return row.tokens / row.params; }},
    {"bits", least_bits},
    {"P_w", [](const Observation& row) { return row.bits_weights; }},
    {"P_a", [](const Observation& row) { return row.bits_activations; }},
    {"P_kv", [](const Observation& row) { return row.bits_kv; }},
    {"P_post",
     [](const Observation& row) { return row.bits_post > 0 ? row.bits_post : kUnquantizedBits; }},
};

const Field* find_field(const std::string& name) {
  for (const Field& field : kFields) {
    if (name == field.name) return &field;
  }
  return nullptr;
}

// What a table may call the class: the name itself, "BF16" where it is not quantized.
std::string class_of(const Observation& row) {
  const std::string name = precision_class(row);
  return name.empty() ? "BF16" : name;
}

// NAME OP VALUES.
struct Condition {
  std::string name, op;
  std::vector<std::string> values;
  std::vector<double> numbers;  // the values, unless the name is class
};

bool holds(const Condition& condition, const Observation& row) {
  const std::string& op = condition.op;
  if (condition.name == "class") {
    const bool found = std::count(condition.values.begin(), condition.values.end(), class_of(row));
    return (op == "=") == found;
  }
  const double value = find_field(condition.name)->of(row), limit = condition.numbers[0];
  const auto equals = [&](double number) {  // N and D may be written with few digits
    return std::fabs(value - number) <= 1e-9 * std::fabs(number);
  };
  if (op == "<") return value < limit;
  if (op == ">") return value > limit;
  if (op == "<=") return value <= limit;
  if (op == ">=") return value >= limit;
  return (op == "=") == std::any_of(condition.numbers.begin(), condition.numbers.end(), equals);
}

constexpr const char* kKnown =
    "use kfold, largest-N, largest-D, bits, class, or a condition such as bits=3, P_w<=4, "
    "class=W4A4, N=3e8 (rows above it)";

Condition parse_condition(const std::string& split_text) {
  Condition out;
  const size_t at = split_text.find_first_of("=!<>");
  if (at == std::string::npos || at == 0) {
    const std::string near =
        nearest_name(split_text, {"kfold", "largest-N", "largest-D", "bits", "class"});
    throw Error(fmt::format("hold_out: {} is unknown; {}", split_text,
                            near.empty() ? kKnown : fmt::format("did you mean {}?", near)));
  }
  const size_t end = split_text.find_first_not_of("=!<>", at);
  out.name = trim(split_text.substr(0, at));
  out.op = split_text.substr(at, end == std::string::npos ? end : end - at);
  if (out.op == "==") out.op = "=";
  const bool known_op = out.op == "=" || out.op == "!=" || out.op == "<" || out.op == "<=" ||
                        out.op == ">" || out.op == ">=";
  if (!known_op || end == std::string::npos) {
    throw Error(fmt::format("hold_out: {} is no condition; {}", split_text, kKnown));
  }
  for (const std::string& item : split(split_text.substr(end), ',')) {
    out.values.push_back(trim(item));
  }
  const bool equality = out.op == "=" || out.op == "!=";
  if (!equality && out.values.size() != 1) {
    throw Error(fmt::format("hold_out: {}: {} takes one number", split_text, out.op));
  }
  if (out.name == "class") {
    if (!equality) throw Error(fmt::format("hold_out: {}: classes have no order", split_text));
    return out;
  }
  if (!find_field(out.name)) {
    std::vector<std::string> names{"class"};
    for (const Field& field : kFields) names.emplace_back(field.name);
    throw Error(fmt::format("hold_out: {}: there is no {}; there are {}", split_text, out.name,
                            fmt::join(names, ", ")));
  }
  for (const std::string& value : out.values) {
    double number = 0;
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || stop != value.data() + value.size()) {
      throw Error(fmt::format("hold_out: {}: {} is not a number", split_text, value));
    }
    out.numbers.push_back(number);
  }
  if ((out.name == "N" || out.name == "D") && out.op == "=") {
    if (out.numbers.size() != 1) {
      throw Error(
          fmt::format("hold_out: {}: one {}, above which rows are held out", split_text, out.name));
    }
    out.op = ">";
  }
  return out;
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

bool is_each_in_turn(const std::string& text) {
  return text == "bits" || text == "class";
}

}  // namespace

void check_split(const std::string& text) {
  if (text == "kfold" || text == "largest-N" || text == "largest-D" || is_each_in_turn(text)) {
    return;
  }
  parse_condition(text);
}

std::string why_no_masks(const std::vector<Observation>& rows, const std::string& text) {
  if (text == "kfold") return "hold_out: kfold needs two clusters of rows or more";
  if (text == "largest-N" || text == "largest-D") {
    return fmt::format("hold_out: all rows have the same {}", text.substr(8));
  }
  if (is_each_in_turn(text)) {
    return fmt::format("hold_out: {}: fewer than two precisions to hold out in turn", text);
  }
  const Condition condition = parse_condition(text);
  std::set<std::string> names;
  std::set<double> numbers;
  bool any = false;
  for (const Observation& row : rows) {
    any |= holds(condition, row);
    if (condition.name == "class") {
      names.insert(class_of(row));
    } else {
      numbers.insert(find_field(condition.name)->of(row));
    }
  }
  for (const double number : numbers) names.insert(fmt::format("{:.6g}", number));
  return fmt::format(
      "hold_out: {} holds for {} row; {} is {}", text, any ? "every" : "no", condition.name,
      numbers.size() > 12 ? fmt::format("{:.6g} to {:.6g}", *numbers.begin(), *numbers.rbegin())
                          : fmt::format("{}", fmt::join(names, ", ")));
}

std::vector<std::vector<bool>> hold_out_masks(const std::vector<Observation>& rows,
                                              const std::string& text, int folds, uint64_t seed) {
  if (text == "kfold") return folds_of_clusters(rows, folds, seed);
  if (text == "largest-N") return largest(rows, find_field("N")->of);
  if (text == "largest-D") return largest(rows, find_field("D")->of);
  if (is_each_in_turn(text)) return each_in_turn(rows, text);
  const Condition condition = parse_condition(text);
  std::vector<bool> mask;
  for (const Observation& row : rows) mask.push_back(holds(condition, row));
  if (!some_but_not_all(mask)) return {};
  return {mask};
}

}  // namespace bitlaw
