#include "table/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "formats/precision.h"
#include "laws/observation.h"
#include "record/factor_names.h"
#include "table/missing.h"
#include "table/words.h"

namespace bitlaw {

RowReader::RowReader(const RawTable& table, const Columns& columns,
                     const std::map<std::string, double>& scale, std::string where, bool filtered)
    : table_(table),
      columns_(columns),
      scale_(scale),
      where_(std::move(where)),
      filtered_(filtered) {}

namespace {

// In these a word such as nan has a meaning of its own, or is a name.
bool has_own_words(std::string_view column) {
  constexpr std::string_view kOwn[] = {"status", "unstable", "finished", "failed", "run"};
  return is_one_of(column, kOwn);
}

// A precision or format of "none" is not quantized.
bool is_name(std::string_view column) {
  constexpr std::string_view kNames[] = {"precision", "backward", "method"};
  return is_one_of(column, kNames) || column.starts_with("format");
}

bool is_none(std::string_view text) {
  return text.size() == 4 && plain_name(text) == "none";
}

const RawField kNoField;

}  // namespace

RowError::RowError(const std::string& where, std::string place, std::string column,
                   std::string problem)
    : Error(fmt::format("{}: {}, column {}: {}", where, place, column, problem)),
      place(std::move(place)),
      column(std::move(column)),
      problem(std::move(problem)) {}

void RowProblems::add(const RowError& error) {
  constexpr size_t kMost = 8;
  for (Kind& kind : kinds_) {
    if (kind.column != error.column || kind.problem != error.problem) continue;
    ++kind.more;
    return;
  }
  if (kinds_.size() == kMost)
    ++others_;
  else
    kinds_.push_back({error.column, error.problem, error.place});
}

void RowProblems::must_be_none(const std::string& where) const {
  if (!kinds_.empty()) throw Error(fmt::format("{}: {}", where, listed()));
}

std::string RowProblems::listed() const {
  std::vector<std::string> parts;
  for (const Kind& kind : kinds_) {
    parts.push_back(fmt::format("{}, column {}: {}", kind.first, kind.column, kind.problem));
    if (kind.more > 0) {
      parts.back() += fmt::format(" (and in {} more row{})", kind.more, kind.more == 1 ? "" : "s");
    }
  }
  if (others_ > 0)
    parts.push_back(fmt::format("and {} more row{}", others_, others_ == 1 ? "" : "s"));
  return fmt::format("{}", fmt::join(parts, "; "));
}

const RawField& RowReader::written(const char* column) const {
  const auto place = columns_.find(column);
  return place ? row_->at(*place) : kNoField;
}

const RawField& RowReader::field(const char* column) const {
  const RawField& field = written(column);
  const bool missing = is_missing_word(field.view()) && !has_own_words(column) &&
                       !(is_name(column) && is_none(field.view()));
  return missing ? kNoField : field;
}

double RowReader::number(const char* column) const {
  return parse(column, false);
}

double RowReader::positive(const char* column) const {
  const double value = number(column);
  if (std::isnan(value)) {
    const std::string word = written(column).text();
    const bool is_nan = parse_number(word).has_value();
    fail(column, word.empty() ? "an empty field" : word,
         fmt::format("is not {}; {}", is_nan ? "finite" : "a number", advice(column, "!=" + word)));
  }
  if (!(value > 0)) {
    fail(column, text(column), "must be positive; " + advice(column, ">0"));
  }
  return value;
}

double RowReader::positive_or_unknown(const char* column) const {
  return has(column) ? positive(column) : kUnknown;
}

double RowReader::not_negative(const char* column) const {
  const double value = number(column);
  if (value < 0) fail(column, text(column), "must not be negative");
  return value;
}

double RowReader::count(const char* column) const {
  if (!has(column)) return positive(column);
  const double value = parse(column, true);
  if (!(value > 0)) return positive(column);
  return value;
}

double RowReader::count_or_unknown(const char* column) const {
  return has(column) ? count(column) : kUnknown;
}

double RowReader::bits(const char* column, double otherwise) const {
  // "inf", "bf16" and "full" are not quantized, as an empty field.
  const std::string_view words = field(column).view();
  const bool is_word = !words.empty() && std::isalpha(static_cast<unsigned char>(words[0])) != 0;
  if (is_word && (plain_name(words) == "inf" || is_unquantized(words)))
    return otherwise == 0 ? 0 : kUnquantizedBits;
  const double value = number(column);
  if (std::isnan(value)) return otherwise;
  if (value == 0 && otherwise == 0) return 0;
  if (!(value >= 1 && value <= 64)) {
    fail(column, text(column), "is not a number of bits, 1 to 64; 16 and more is not quantized");
  }
  return std::min(value, kUnquantizedBits);
}

void RowReader::fail(const char* column, const std::string& what,
                     const std::string& problem) const {
  throw RowError(where_, table_.place_of(*row_), columns_.file_name(column),
                 printable(what) + ' ' + problem);
}

std::string RowReader::advice(const char* column, const std::string& condition) const {
  if (!filtered_) return "correct this row of the list or delete it";
  return fmt::format("--where '{}{}' leaves such rows out", columns_.file_name(column), condition);
}

// What to do about a text that is no number.
std::string RowReader::remedy(const char* column, const std::string& text) const {
  if (text.starts_with('['))
    return ", but a list; a row is one run or one point: write a row for each, or name one entry";
  if (text.find(',') != std::string::npos) return "; write 1234.5, not 1,234.5";
  for (const char* sign : {"\u00b1", "+/-", "+-"}) {
    if (text.find(sign) != std::string::npos)
      return "; a standard error has a column of its own, such as loss_standard_error";
  }
  const std::string_view name = column;
  const bool is_loss = name == "loss" || name == "perplexity";
  const bool is_word =
      std::none_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return is_loss && is_word && filtered_ ? "; " + advice(column, "!=" + text) : "";
}

double RowReader::parse(const char* column, bool with_suffix) const {
  const RawField& field = this->field(column);
  if (field.empty()) return kUnknown;
  auto number = field.number();
  if (!number) number = with_suffix ? parse_count(field.view()) : parse_number(field.view());
  if (!number) {
    fail(column, field.text(), "is not a number" + remedy(column, field.text()));
  }
  const auto unit = scale_.find(column);
  const double value = *number * (unit == scale_.end() ? 1 : unit->second);
  if (!std::isfinite(value)) {
    fail(column, field.text(), "is not finite; " + advice(column, "!=" + field.text()));
  }
  return value;
}

}  // namespace bitlaw
