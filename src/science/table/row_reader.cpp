#include "table/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "laws/observation.h"

namespace bitlaw {

RowReader::RowReader(const RawTable& table, const Columns& columns,
                     const std::map<std::string, double>& scale, std::string where, bool filtered)
    : table_(table),
      columns_(columns),
      scale_(scale),
      where_(std::move(where)),
      filtered_(filtered) {}

const RawField& RowReader::field(const char* column) const {
  static const RawField empty;
  const auto place = columns_.find(column);
  return place ? row_->at(*place) : empty;
}

double RowReader::number(const char* column) const {
  return parse(column, false);
}

double RowReader::positive(const char* column) const {
  const double value = number(column);
  if (std::isnan(value)) {
    fail(column, "an empty field", "is not a number; " + advice(column, "!="));
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
  throw Error(fmt::format("{}: {} {}, column {}: {} {}", where_, table_.place_is, row_->place,
                          columns_.file_name(column), printable(what), problem));
}

std::string RowReader::advice(const char* column, const std::string& condition) const {
  if (!filtered_) return "correct this row of the list or delete it";
  return fmt::format("--where '{}{}' leaves such rows out", columns_.file_name(column), condition);
}

double RowReader::parse(const char* column, bool with_suffix) const {
  const RawField& field = this->field(column);
  if (field.empty()) return kUnknown;
  auto number = field.number();
  if (!number) number = with_suffix ? parse_count(field.view()) : parse_number(field.view());
  if (!number) {
    const bool comma = field.view().find(',') != std::string::npos;
    fail(column, field.text(),
         comma ? "is not a number; write 1234.5, not 1,234.5" : "is not a number");
  }
  const auto unit = scale_.find(column);
  const double value = *number * (unit == scale_.end() ? 1 : unit->second);
  if (!std::isfinite(value)) {
    fail(column, field.text(), "is not finite; " + advice(column, "!=" + field.text()));
  }
  return value;
}

}  // namespace bitlaw
