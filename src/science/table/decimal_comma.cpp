#include "table/decimal_comma.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "table/missing.h"

namespace bitlaw {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

size_t count_of(std::string_view text, char sign) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), sign));
}

// "10.000.000" without its points, for this sign between thousands; nothing if it is none.
std::optional<std::string> without_thousands(std::string_view text, char sign) {
  std::string out;
  for (bool first = true;; first = false) {
    const size_t end = std::min(text.find(sign), text.size());
    const std::string_view part = text.substr(0, end);
    if (!all_digits(part) || part.size() > 3 || (!first && part.size() != 3)) return std::nullopt;
    out += part;
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

// A number with one decimal comma, and points between thousands if it has any, with a decimal point.
std::optional<std::string> with_point(std::string_view text) {
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos || count_of(text, ',') != 1) return std::nullopt;
  std::string_view whole = text.substr(0, comma);
  std::string sign;
  if (whole.starts_with('-') || whole.starts_with('+')) sign = whole[0], whole.remove_prefix(1);
  std::string digits(whole);
  if (whole.find('.') != std::string_view::npos) {
    const auto joined = without_thousands(whole, '.');
    if (!joined) return std::nullopt;
    digits = *joined;
  }
  if (!digits.empty() && !all_digits(digits)) return std::nullopt;
  std::string out = sign + digits + '.' + std::string(text.substr(comma + 1));
  return parse_count(out) ? std::optional(out) : std::nullopt;
}

// Its comma cannot stand between thousands: 5,3369 and 0,123 and 2,00E+08.
bool is_surely_decimal(std::string_view text) {
  return with_point(text) && (text.starts_with("0,") || !without_thousands(text, ','));
}

// 1,234.5
bool has_point_behind_comma(std::string_view text) {
  const size_t comma = text.find(','), point = text.rfind('.');
  return comma != std::string_view::npos && point != std::string_view::npos && comma < point &&
         without_thousands(text.substr(0, point), ',').has_value();
}

// The places of columns in which every field is a number, some with a decimal comma.
std::vector<size_t> columns_with_commas(const RawTable& table) {
  std::vector<bool> numbers(table.columns().size(), true), commas(table.columns().size(), false);
  for (const RawRow& row : table.rows) {
    for (const auto& [column, field] : row.fields) {
      if (!numbers[column] || is_missing_word(field.view())) continue;
      const bool comma = with_point(field.view()).has_value();
      numbers[column] = comma || parse_count(field.view()) || without_thousands(field.view(), '.');
      commas[column] = commas[column] || comma;
    }
  }
  std::vector<size_t> out;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] && commas[i]) out.push_back(i);
  }
  return out;
}

bool has_decimal_commas(const RawTable& table, const std::vector<size_t>& columns,
                        bool by_semicolons) {
  bool sure = by_semicolons;
  for (const RawRow& row : table.rows) {
    for (const auto& [column, field] : row.fields) {
      if (has_point_behind_comma(field.view())) return false;
    }
    for (const size_t column : columns) sure = sure || is_surely_decimal(row.at(column).view());
  }
  return sure;
}

}  // namespace

void read_decimal_commas(RawTable& table, bool by_semicolons, const std::string& where) {
  const std::vector<size_t> columns = columns_with_commas(table);
  if (columns.empty() || !has_decimal_commas(table, columns, by_semicolons)) return;
  std::vector<std::string> names;
  for (const size_t column : columns) {
    names.push_back(table.columns()[column]);
    for (RawRow& row : table.rows) {
      const std::string text = row.at(column).text();
      if (const auto number = with_point(text)) {
        row.set(column, *number);
      } else if (const auto whole = without_thousands(text, '.');
                 whole && count_of(text, '.') > 0) {
        if (count_of(text, '.') == 1) {
          throw Error(fmt::format(
              "{}: {} {}, column {}: {} could be {} or {}, beside numbers with decimal commas; "
              "write it without the point",
              where, table.place_is, row.place, names.back(), text, *whole,
              text.substr(0, text.find('.')) + ',' + text.substr(text.find('.') + 1)));
        }
        row.set(column, *whole);
      }
    }
  }
  table.notes.push_back(fmt::format("Decimal commas are read as points, in {}.", printable(names)));
}

}  // namespace bitlaw
