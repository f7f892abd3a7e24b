#include "table/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "base/condition.h"
#include "base/error.h"
#include "base/names.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

Field field_of(const RawField& field) {
  return field.number() ? Field::of_number(*field.number()) : Field::of_text(field.view());
}

// A condition on columns of the file, or on those of an observation.
class RowTest {
 public:
  RowTest(Condition condition, const Observe* observe)
      : condition(std::move(condition)), observe_(observe) {}

  const Condition condition;

  bool of_observation() const { return observe_ != nullptr; }
  // It asks for values of a column that a row may leave empty, and for no empty field.
  bool wants_values() const {
    return !of_observation() && !condition.divisor() && condition.sign() == "=" &&
           std::none_of(condition.values().begin(), condition.values().end(),
                        [](const Condition::Value& value) { return value.text.empty(); });
  }
  bool holds(const RawRow& row) const {
    return with_field(row, [&](const Field& field) { return condition.holds(field); });
  }
  bool has(const RawRow& row, const Condition::Value& value) const {
    return with_field(row, [&](const Field& field) { return condition.is_among(value, field); });
  }
  std::string shown(const RawRow& row) const {
    if (!of_observation() && !condition.divisor()) {
      const std::string text = row.at(condition.column()).text();
      return text.empty() ? "nothing" : printable(text);
    }
    return with_field(row, [&](const Field& field) {
      if (!field.text.empty()) return printable(std::string(field.text));
      return std::isnan(field.number) ? "nothing" : fmt::format("{:.6g}", field.number);
    });
  }

 private:
  template <class Use>
  std::invoke_result_t<Use, const Field&> with_field(const RawRow& row, const Use& use) const {
    if (observe_ != nullptr) {
      const ObservationFields fields((*observe_)(row));
      return use(fields.of(condition));
    }
    return use(condition.field_of([&](size_t column) { return field_of(row.at(column)); }));
  }

  const Observe* observe_;
};

// Values of the rows in the column of the condition: the first ten.
std::string values_of(const RawTable& table, const RowTest& test) {
  std::vector<std::string> values;
  std::set<std::string> seen;
  for (const RawRow& row : table.rows) {
    const std::string value = test.shown(row);
    if (seen.insert(value).second) values.push_back(value);
    if (values.size() > 10) break;
  }
  const bool more = values.size() > 10;
  if (more) values.pop_back();
  return fmt::format("{}{}", fmt::join(values, ", "), more ? " and more" : "");
}

// A value that no row has is a slip of the pen.
void must_occur(const RawTable& table, const RowTest& test) {
  const Condition& condition = test.condition;
  if (condition.sign() != "=") return;
  for (const Condition::Value& value : condition.values()) {
    const bool found = std::any_of(table.rows.begin(), table.rows.end(),
                                   [&](const RawRow& row) { return test.has(row, value); });
    if (found) continue;
    throw Error(fmt::format("{}: no row has {}; {} holds {}", condition.where(),
                            value.text.empty() ? "an empty field there" : value.text,
                            condition.name(), values_of(table, test)));
  }
}

RowTest row_test(const std::string& text, const RawTable& table, const Columns& columns,
                 const std::string& where, const Observe& observe) {
  Condition condition(where + ": where", text);
  const std::string& name = condition.name();
  if (!columns.place(name) && is_observation_column(name))
    return {observation_condition(where + ": where", text), &observe};
  condition.find(
      [&](const std::string& asked) -> std::optional<ColumnPlace> {
        const auto place = columns.place(asked);
        return place ? std::optional(ColumnPlace{*place}) : std::nullopt;
      },
      table.columns());
  return {std::move(condition), nullptr};
}

void keep(RawTable& table, const RowTest& test, std::vector<std::string>& notes) {
  const std::string held = values_of(table, test);
  const bool any = !table.rows.empty();
  const auto has_nothing = [&](const RawRow& row) {
    return row.at(test.condition.column()).empty();
  };
  const auto without =
      test.wants_values() ? std::count_if(table.rows.begin(), table.rows.end(), has_nothing) : 0;
  std::erase_if(table.rows, [&](const RawRow& row) { return !test.holds(row); });
  if (table.rows.empty() && any) {
    throw Error(fmt::format("{}: no row matches; {} holds {}", test.condition.where(),
                            test.condition.name(), held));
  }
  if (without == 0) return;
  const std::string text = printable(test.condition.text());
  notes.push_back(fmt::format(
      "{} of the rows that --where {} leaves out {} nothing there; {}, (with the comma) "
      "keeps {}.",
      without, text, without == 1 ? "has" : "have", text, without == 1 ? "it" : "these"));
}

}  // namespace

int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where, const Observe& observe, std::vector<std::string>& notes) {
  const size_t before = table.rows.size();
  std::vector<RowTest> tests;
  for (const std::string& text : conditions)
    tests.push_back(row_test(text, table, columns, where, observe));
  for (const bool of_observation : {false, true}) {
    for (const RowTest& test : tests) {
      if (test.of_observation() == of_observation) must_occur(table, test);
    }
    for (const RowTest& test : tests) {
      if (test.of_observation() == of_observation) keep(table, test, notes);
    }
  }
  return static_cast<int>(before - table.rows.size());
}

}  // namespace bitlaw
