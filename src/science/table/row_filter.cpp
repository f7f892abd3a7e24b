#include "table/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

bool read_number(const std::string& text, double& number) {
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return !text.empty() && read.ec == std::errc() && read.ptr == end && !std::isnan(number);
}

bool equal(const std::string& field, const std::string& value) {
  if (field == value) return true;
  double a = 0, b = 0;
  return read_number(field, a) && read_number(value, b) && a == b;
}

struct Condition {
  std::string text, column, comparison;
  std::vector<std::string> values;
  double bound = 0;  // where the comparison is one of size
};

Condition parse_condition(const std::string& text) {
  Condition condition{text, "", "", {}, 0};
  const size_t begin = text.find_first_of("=!<>");
  const size_t end = begin == std::string::npos ? begin : text.find_first_not_of("=!<>", begin);
  if (begin != std::string::npos) {
    condition.column = trim(text.substr(0, begin));
    condition.comparison = text.substr(begin, end == std::string::npos ? end : end - begin);
  }
  static const std::set<std::string> known{"=", "==", "!=", "<", "<=", ">", ">="};
  if (condition.column.empty() || !known.count(condition.comparison)) {
    throw Error(fmt::format("where: {} is not COLUMN=VALUE, as in dataset=c4 or P_w!=16", text));
  }
  const std::string values = end == std::string::npos ? "" : text.substr(end);
  if (condition.comparison[0] == '<' || condition.comparison[0] == '>') {
    if (!read_number(trim(values), condition.bound))
      throw Error(fmt::format("where: {}: {} is not a number", text, values));
    return condition;
  }
  for (const std::string& value : split(values, ',')) condition.values.push_back(trim(value));
  if (condition.values.empty()) condition.values.emplace_back();
  return condition;
}

bool holds(const Condition& condition, const std::string& field) {
  if (condition.comparison[0] != '<' && condition.comparison[0] != '>') {
    const bool among = std::any_of(condition.values.begin(), condition.values.end(),
                                   [&](const std::string& value) { return equal(field, value); });
    return among == (condition.comparison != "!=");
  }
  double number = 0;
  if (!read_number(field, number)) return false;
  if (number == condition.bound) return condition.comparison.size() == 2;
  return (number < condition.bound) == (condition.comparison[0] == '<');
}

std::string values_of(const RawTable& table, size_t column) {
  std::vector<std::string> values;
  std::set<std::string> seen;
  for (const RawRow& row : table.rows) {
    const std::string& field = row.at(column);
    if (seen.insert(field).second)
      values.push_back(field.empty() ? "nothing" : field.substr(0, 40));
    if (values.size() > 10) break;
  }
  const bool more = values.size() > 10;
  if (more) values.pop_back();
  return fmt::format("{}{}", fmt::join(values, ", "), more ? " and more" : "");
}

// A value that no row has is a slip of the pen.
void must_occur(const RawTable& table, const Condition& condition, size_t column,
                const std::string& where) {
  if (condition.comparison[0] != '=') return;
  for (const std::string& value : condition.values) {
    const bool found = std::any_of(table.rows.begin(), table.rows.end(),
                                   [&](const RawRow& row) { return equal(row.at(column), value); });
    if (!found) {
      throw Error(fmt::format("{}: where {}: no row has {}; {} holds {}", where, condition.text,
                              value.empty() ? "an empty field there" : value, condition.column,
                              values_of(table, column)));
    }
  }
}

}  // namespace

int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where) {
  const size_t before = table.rows.size();
  std::vector<std::pair<Condition, size_t>> tests;
  for (const std::string& text : conditions) {
    const Condition condition = parse_condition(text);
    const size_t column = columns.any(condition.column, "where " + text);
    must_occur(table, condition, column, where);
    tests.emplace_back(condition, column);
  }
  for (const auto& [condition, column] : tests) {
    const std::string held = values_of(table, column);
    table.rows.erase(
        std::remove_if(table.rows.begin(), table.rows.end(),
                       [&, condition = &condition, column = column](const RawRow& row) {
                         return !holds(*condition, row.at(column));
                       }),
        table.rows.end());
    if (table.rows.empty() && before > 0) {
      throw Error(fmt::format("{}: where {}: no row is left; of those before, {} holds {}", where,
                              condition.text, condition.column, held));
    }
  }
  return static_cast<int>(before - table.rows.size());
}

}  // namespace bitlaw
