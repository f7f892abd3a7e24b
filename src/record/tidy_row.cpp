#include "record/tidy_row.h"

#include "base/csv.h"

namespace bitlaw {
namespace {

Json value_of(const std::string& field) {
  return field.empty() ? Json(nullptr) : Json(field);
}
Json value_of(double field) {
  return json_struct::value_of(field);
}
Json value_of(const std::optional<int64_t>& field) {
  return json_struct::value_of(field);
}

std::string csv_text(const std::string& field) {
  return field;
}
template <class T>
std::string csv_text(const T& field) {
  const Json value = value_of(field);
  return value.is_null() ? "" : dump_json(value);
}

constexpr TidyColumn::Type type_of(const std::string&) {
  return TidyColumn::kText;
}
constexpr TidyColumn::Type type_of(double) {
  return TidyColumn::kReal;
}
constexpr TidyColumn::Type type_of(const std::optional<int64_t>&) {
  return TidyColumn::kWhole;
}

}  // namespace

const std::vector<TidyColumn>& tidy_columns() {
  static const std::vector<TidyColumn> columns = [] {
    std::vector<TidyColumn> out;
    for_each_column(TidyRow{}, [&](const char* name, const auto& field, const char* help) {
      out.push_back({name, type_of(field), help});
    });
    return out;
  }();
  return columns;
}

Json tidy_to_json(const std::vector<TidyRow>& rows) {
  Json out = Json::array();
  for (const TidyRow& row : rows) {
    Json& object = out.emplace_back(Json::object());
    for_each_column(row, [&](const char* name, const auto& field, const char*) {
      object[name] = value_of(field);
    });
  }
  return out;
}

std::string tidy_to_csv(const std::vector<TidyRow>& rows) {
  std::vector<std::string> fields;
  for (const TidyColumn& column : tidy_columns()) fields.emplace_back(column.name);
  std::string out = csv_line(fields);
  for (const TidyRow& row : rows) {
    fields.clear();
    for_each_column(row, [&](const char*, const auto& field, const char*) {
      fields.push_back(csv_text(field));
    });
    out += csv_line(fields);
  }
  return out;
}

}  // namespace bitlaw
