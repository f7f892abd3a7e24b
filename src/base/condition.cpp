#include "base/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/ends.h"
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"

namespace bitlaw {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kTwelveDigits = 1e-12;  // relative: quotients and products are rounded
constexpr const char* kSigns[] = {"=", "==", "!=", "<", "<=", ">", ">="};
constexpr const char* kExamples = "P_w=3,4, N=1e6..3e8, D/N>20 or method!=none";

double number_or_unknown(std::string_view text) {
  const double number = parse_count(text).value_or(kUnknown);
  return std::isfinite(number) ? number : kUnknown;
}

Condition::Value read_value(const std::string& text) {
  if (const auto ends = split_ends(text)) {
    const double low = number_or_unknown(ends->first), high = number_or_unknown(ends->second);
    if (!std::isnan(low) && !std::isnan(high)) return {text, low, high};
  }
  const double number = number_or_unknown(text);
  return {text, number, number};
}

bool are_equal(double a, double b) {
  return a == b || std::fabs(a - b) <= kTwelveDigits * std::fabs(b);
}

}  // namespace

Field Field::of_text(std::string_view text) {
  return {text, number_or_unknown(text)};
}

Condition::Condition(std::string option, std::string text)
    : option_(std::move(option)), text_(std::move(text)) {
  const size_t begin = text_.find_first_of("=!<>");
  if (begin == std::string::npos)
    fail(fmt::format("has no sign; write COLUMN=VALUE, as in {}", kExamples));
  const size_t end = std::min(text_.find_first_not_of("=!<>", begin), text_.size());
  name_ = trim(text_.substr(0, begin));
  sign_ = text_.substr(begin, end - begin);
  if (std::find(std::begin(kSigns), std::end(kSigns), sign_) == std::end(kSigns))
    fail(fmt::format("'{}' is not one of =, !=, <, <=, >, >=", sign_));
  if (name_.empty())
    fail(fmt::format("there is no column before '{}'; write COLUMN=VALUE, as in {}", sign_,
                     kExamples));
  if (sign_ == "==") sign_.pop_back();
  for (const std::string& value : split(text_.substr(end), ','))
    values_.push_back(read_value(trim(value)));
  if (values_.empty()) values_.push_back(read_value(""));
  for (const Value& value : values_) {
    if (value.low > value.high)
      fail(fmt::format("the range '{}' ends below its start", value.text));
  }
  if (!orders()) return;
  if (values_.size() > 1 || values_[0].low != values_[0].high)  // also NaN
    fail(fmt::format("'{}' is not a number, and '{}' needs one", trim(text_.substr(end)), sign_));
}

void Condition::find(const Finder& finder, const std::vector<std::string>& columns) {
  divisor_.reset();
  if (const auto place = finder(name_)) {
    column_ = place->index;
    return require_suitable(place->holds);
  }
  const size_t slash = name_.find('/');
  if (slash == std::string::npos) fail(unknown_column(name_, columns));
  const std::string above = trim(name_.substr(0, slash)), below = trim(name_.substr(slash + 1));
  const auto dividend = finder(above), divisor = finder(below);
  if (!dividend && !divisor) fail(unknown_column(name_, columns));
  if (!dividend || !divisor) fail(unknown_column(dividend ? below : above, columns));
  for (const auto& [name, place] : {std::pair(above, *dividend), {below, *divisor}}) {
    if (place.holds == ColumnPlace::kText)
      fail(fmt::format("{} holds text, which cannot be divided", name));
  }
  column_ = dividend->index, divisor_ = divisor->index;
  require_suitable(ColumnPlace::kNumbers);
}

void Condition::require_suitable(ColumnPlace::Holds holds) const {
  if (holds == ColumnPlace::kText && orders())
    fail(fmt::format("{} holds text, which '{}' cannot compare", name_, sign_));
  if (holds != ColumnPlace::kNumbers && holds != ColumnPlace::kNumbersOrNothing) return;
  for (const Value& value : values_) {
    const bool may_be = holds == ColumnPlace::kNumbersOrNothing && value.text.empty();
    if (std::isnan(value.low) && !may_be)
      fail(fmt::format("'{}' is not a number, and {} holds numbers", value.text, name_));
  }
}

bool Condition::is_among(const Value& value, const Field& field) const {
  if (std::isnan(field.number)) return same_text_(field.text, value.text);
  if (std::isnan(value.low)) return !value.text.empty() && same_text_(field.text, value.text);
  return are_equal(field.number, value.low) || are_equal(field.number, value.high) ||
         (value.low < field.number && field.number < value.high);
}

bool Condition::holds(const Field& field) const {
  if (!orders()) {
    const bool found = std::any_of(values_.begin(), values_.end(),
                                   [&](const Value& value) { return is_among(value, field); });
    return found == (sign_ == "=");
  }
  const double bound = values_[0].low;
  if (std::isnan(field.number)) return false;
  if (are_equal(field.number, bound)) return sign_.size() == 2;
  return (field.number < bound) == (sign_[0] == '<');
}

bool Condition::mentions(const std::string& column) const {
  if (name_ == column) return true;
  const size_t slash = name_.find('/');
  return slash != std::string::npos &&
         (trim(name_.substr(0, slash)) == column || trim(name_.substr(slash + 1)) == column);
}

std::string Condition::where() const {
  return fmt::format("{} '{}'", option_, printable(text_));
}

void Condition::fail(const std::string& problem) const {
  throw Error(fmt::format("{}: {}", where(), problem));
}

}  // namespace bitlaw
