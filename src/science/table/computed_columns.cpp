#include "table/computed_columns.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/expression.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "table/missing.h"
#include "table/row_reader.h"

namespace bitlaw {
namespace {

struct Assignment {
  std::string name;
  Expression formula;
};

Assignment parse_assignment(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string name = trim(text.substr(0, equals));
  if (equals == std::string::npos || name.empty()) {
    throw Error(
        fmt::format("set: '{}' is not NAME=FORMULA, as in N=params-50304*width", printable(text)));
  }
  return {name, Expression(text.substr(equals + 1), "set " + name)};
}

// A number, or nothing if the field is empty.
std::optional<double> number_of(const RawTable& table, const RawRow& row, size_t column,
                                const std::string& where) {
  const RawField& field = row.at(column);
  if (field.empty() || is_missing_word(field.view())) return std::nullopt;
  if (const auto number = field.number()) return number;
  if (const auto number = parse_count(field.view())) return number;
  throw RowError(where, table.place_of(row), table.columns()[column],
                 printable(field.text()) + " is not a number");
}

void compute(RawTable& table, const Assignment& assignment, const ColumnMap& given,
             const std::string& where) {
  std::vector<std::string> unused;
  const Columns columns(table, where, given, unused);
  std::vector<size_t> inputs;
  for (const std::string& name : assignment.formula.names())
    inputs.push_back(columns.any(name, "set " + assignment.name));
  const size_t result = table.column(assignment.name);
  RowProblems problems;
  for (RawRow& row : table.rows) {
    try {
      std::vector<double> values;
      for (const size_t input : inputs) {
        if (const auto value = number_of(table, row, input, where)) values.push_back(*value);
      }
      if (values.size() < inputs.size()) {
        row.set(result, RawField());
        continue;
      }
      const double value = assignment.formula.value(std::span<const double>(values));
      if (!std::isfinite(value)) {
        throw RowError(where, table.place_of(row), assignment.name,
                       fmt::format("the formula gives {}", value));
      }
      row.set(result, RawField(value));
    } catch (const RowError& error) {
      problems.add(error);
    }
  }
  problems.must_be_none(where);
}

}  // namespace

void add_computed(RawTable& table, const std::vector<std::string>& assignments,
                  const ColumnMap& given, const std::string& where) {
  for (const std::string& text : assignments) {
    const Assignment assignment = parse_assignment(text);
    const auto other = given.find(assignment.name);
    if (other != given.end() && other->second != assignment.name) {
      throw Error(fmt::format("set {0}: --columns {0}={1} says that {1} is {0}; give one of them",
                              assignment.name, printable(other->second)));
    }
    compute(table, assignment, given, where);
  }
}

}  // namespace bitlaw
