#include "table/tidy_table.h"

#include <cmath>
#include <optional>

namespace bitlaw {
namespace {

RawField field_of(const std::string& value) {
  return value;
}
RawField field_of(double value) {
  return std::isnan(value) ? RawField() : RawField(value);
}
RawField field_of(const std::optional<int64_t>& value) {
  return value ? RawField(*value) : RawField();
}

}  // namespace

RawTable tidy_table(const std::vector<TidyRow>& rows) {
  RawTable table;
  table.kind = "runs";
  table.place_is = "row";
  for (const TidyColumn& column : tidy_columns()) table.column(column.name);
  for (const TidyRow& row : rows) {
    RawRow& out = table.rows.emplace_back();
    out.place = static_cast<int>(table.rows.size());
    size_t column = 0;
    for_each_column(row, [&](const char*, const auto& value, const char*) {
      if (RawField field = field_of(value); !field.empty())
        out.fields.emplace_back(column, std::move(field));
      ++column;
    });
  }
  return table;
}

}  // namespace bitlaw
