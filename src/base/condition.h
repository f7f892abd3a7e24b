// A condition on the rows of a table. --where, --hold-out and `bitlaw runs` share this grammar:
//
//   COLUMN = VALUE           equal as text, or as numbers to twelve digits; no VALUE: empty field
//   COLUMN = VALUE, VALUE    one of them
//   COLUMN = LOW..HIGH       a number in that range, both ends included; also in a list
//   COLUMN != ...            none of them
//   COLUMN < NUMBER          also <=, > and >=; a field that is not a number fails all four
//   COLUMN/COLUMN ...        a quotient of numbers, such as D/N > 20, if no column has that name
//
// Numbers may end in k, M, B or T; blanks around a name, a sign or a value are ignored; == means =.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// What a condition sees of a row.
struct Field {
  std::string_view text;  // also empty if the column holds only numbers
  double number = std::numeric_limits<double>::quiet_NaN();  // NaN: the field is no number

  static Field of_text(std::string_view text);  // with its value, if it is a number
  static Field of_number(double number) { return {{}, number}; }
};

// Index of a column, and what it holds: arbitrary fields of a file, or values of one type.
struct ColumnPlace {
  enum Holds { kFields, kText, kNumbers, kNumbersOrNothing };
  size_t index = 0;
  Holds holds = kFields;
};

class Condition {
 public:
  using Finder = std::function<std::optional<ColumnPlace>(const std::string& name)>;
  struct Value {
    std::string text;
    double low, high;  // equal unless it is a range; NaN: not a number
  };

  // Parses `text`. `option` is the option it was given in, for messages: "where 'N>many': 'many' is
  // not a number". Error if it does not parse.
  Condition(std::string option, std::string text);

  // Finds the column, or both columns of a quotient. Error if there is none, with the nearest of
  // `columns` and their list, or if the condition does not suit what the column holds.
  void find(const Finder& finder, const std::vector<std::string>& columns);
  size_t column() const { return column_; }
  std::optional<size_t> divisor() const { return divisor_; }

  // How texts are compared; without it they must be equal.
  using SameText = bool (*)(std::string_view field, std::string_view value);
  void compare_text_by(SameText same) { same_text_ = same; }

  bool holds(const Field& field) const;
  bool is_among(const Value& value, const Field& field) const;
  // The field that the condition tests; `field_at` returns the field of a column.
  template <class FieldAt>
  Field field_of(const FieldAt& field_at) const {
    return divisor_ ? Field::of_number(field_at(column_).number / field_at(*divisor_).number)
                    : field_at(column_);
  }

  const std::string& text() const { return text_; }
  const std::string& name() const { return name_; }  // of the column, or the quotient
  bool mentions(const std::string& column) const;    // by this very name, also in a quotient
  const std::string& sign() const { return sign_; }  // = != < <= > >=
  bool orders() const { return sign_[0] == '<' || sign_[0] == '>'; }
  const std::vector<Value>& values() const { return values_; }  // one if the sign is an order
  std::string where() const;                                    // for messages: "where 'N>many'"

 private:
  [[noreturn]] void fail(const std::string& problem) const;
  void require_suitable(ColumnPlace::Holds holds) const;

  std::string option_, text_, name_, sign_;
  std::vector<Value> values_;
  size_t column_ = 0;
  std::optional<size_t> divisor_;
  SameText same_text_ = [](std::string_view field, std::string_view value) {
    return field == value;
  };
};

}  // namespace bitlaw
