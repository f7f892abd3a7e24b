#include "runs/row_fields.h"

namespace bitlaw {
namespace {

Field field_of(const std::string& value) {
  return {value};
}
Field field_of(double value) {
  return Field::of_number(value);
}
Field field_of(const std::optional<int64_t>& value) {
  return value ? Field::of_number(static_cast<double>(*value)) : Field{};
}

}  // namespace

std::optional<ColumnPlace> find_tidy_column(const std::string& name) {
  const auto& columns = tidy_columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (name != columns[i].name) continue;
    const bool is_text = columns[i].type == TidyColumn::kText;
    return ColumnPlace{i, is_text ? ColumnPlace::kText : ColumnPlace::kNumbersOrNothing};
  }
  return std::nullopt;
}

std::vector<std::string> tidy_column_names() {
  std::vector<std::string> names;
  for (const TidyColumn& column : tidy_columns()) names.emplace_back(column.name);
  return names;
}

std::vector<Field> fields_of(const TidyRow& row) {
  std::vector<Field> fields;
  for_each_column(
      row, [&](const char*, const auto& value, const char*) { fields.push_back(field_of(value)); });
  return fields;
}

}  // namespace bitlaw
