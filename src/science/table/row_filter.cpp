#include "table/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/condition.h"
#include "base/error.h"
#include "base/names.h"

namespace bitlaw {
namespace {

Field field_of(const RawField& field) {
  return field.number() ? Field::of_number(*field.number()) : Field::of_text(field.view());
}

Field field_of(const Condition& condition, const RawRow& row) {
  return condition.field_of([&](size_t column) { return field_of(row.at(column)); });
}

std::string shown(const Condition& condition, const RawRow& row) {
  if (condition.divisor()) return fmt::format("{:.6g}", field_of(condition, row).number);
  const std::string text = row.at(condition.column()).text();
  return text.empty() ? "nothing" : printable(text);
}

// Values of the rows in the column of the condition: the first ten.
std::string values_of(const RawTable& table, const Condition& condition) {
  std::vector<std::string> values;
  std::set<std::string> seen;
  for (const RawRow& row : table.rows) {
    const std::string value = shown(condition, row);
    if (seen.insert(value).second) values.push_back(value);
    if (values.size() > 10) break;
  }
  const bool more = values.size() > 10;
  if (more) values.pop_back();
  return fmt::format("{}{}", fmt::join(values, ", "), more ? " and more" : "");
}

// A value that no row has is a slip of the pen.
void must_occur(const RawTable& table, const Condition& condition) {
  if (condition.sign() != "=") return;
  for (const Condition::Value& value : condition.values()) {
    const bool found = std::any_of(table.rows.begin(), table.rows.end(), [&](const RawRow& row) {
      return condition.is_among(value, field_of(condition, row));
    });
    if (found) continue;
    throw Error(fmt::format("{}: no row has {}; {} holds {}", condition.where(),
                            value.text.empty() ? "an empty field there" : value.text,
                            condition.name(), values_of(table, condition)));
  }
}

}  // namespace

int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where) {
  const size_t before = table.rows.size();
  std::vector<Condition> tests;
  for (const std::string& text : conditions) {
    Condition& condition = tests.emplace_back(where + ": where", text);
    condition.find(
        [&](const std::string& name) -> std::optional<ColumnPlace> {
          const auto place = columns.place(name);
          return place ? std::optional(ColumnPlace{*place}) : std::nullopt;
        },
        table.columns());
    must_occur(table, condition);
  }
  for (const Condition& condition : tests) {
    const std::string held = values_of(table, condition);
    std::erase_if(table.rows,
                  [&](const RawRow& row) { return !condition.holds(field_of(condition, row)); });
    if (table.rows.empty() && before > 0) {
      throw Error(fmt::format("{}: no row matches; {} holds {}", condition.where(),
                              condition.name(), held));
    }
  }
  return static_cast<int>(before - table.rows.size());
}

}  // namespace bitlaw
