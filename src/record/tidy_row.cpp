#include "record/tidy_row.h"

#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"

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

// False if the text is not such a value.
bool read_text(const std::string& text, std::string& field) {
  field = text;
  return true;
}
bool read_text(const std::string& text, double& field) {
  const auto value = parse_number(text);
  if (value) field = *value;
  return value.has_value();
}
bool read_text(const std::string& text, std::optional<int64_t>& field) {
  const auto value = parse_number(text);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!value || *value != std::floor(*value) || std::fabs(*value) > kExact) return false;
  field = static_cast<int64_t>(*value);
  return true;
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

std::vector<TidyRow> tidy_from_csv(const std::string& text, const std::string& where) {
  std::map<std::string, size_t> places;  // of columns
  std::vector<TidyRow> out;
  bool is_header = true;
  read_csv_records(text, where, ',', [&](CsvRecord& record) {
    if (is_header) {
      is_header = false;
      for (size_t i = 0; i < record.fields.size(); ++i) places.emplace(record.fields[i], i);
      return;
    }
    TidyRow& row = out.emplace_back();
    const auto read = [&](const char* name, auto& field, const char*) {
      const auto place = places.find(name);
      if (place == places.end() || place->second >= record.fields.size()) return;
      const std::string& value = record.fields[place->second];
      if (value.empty() || read_text(value, field)) return;
      throw Error(
          fmt::format("{}: row {}, column {}: {} is not such a value as bitlaw writes there", where,
                      out.size(), name, printable(value)));
    };
    row.visit(read);
  });
  return out;
}

}  // namespace bitlaw
