#include "arrow_table.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "arrow_interface.h"
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/half.h"

namespace bitlaw {
namespace {

struct Schema : ArrowSchema {
  Schema() : ArrowSchema{} {}
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;
  ~Schema() {
    if (release) release(this);
  }
};

struct Array : ArrowArray {
  Array() : ArrowArray{} {}
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() {
    if (release) release(this);
  }
};

void check(ArrowArrayStream& stream, int status, const char* what) {
  if (status == 0) return;
  const char* said = stream.get_last_error ? stream.get_last_error(&stream) : nullptr;
  throw Error(fmt::format("the data frame's {} cannot be read: {}", what,
                          said ? said : std::strerror(status)));
}

bool bit(const void* bits, int64_t at) {
  return (static_cast<const uint8_t*>(bits)[at / 8] >> (at % 8)) & 1;
}

template <class T>
T number_at(const ArrowArray& array, int64_t at) {
  T out;
  std::memcpy(&out,
              static_cast<const std::byte*>(array.buffers[1]) + static_cast<size_t>(at) * sizeof(T),
              sizeof(T));
  return out;
}

RawField of_double(double value) {
  return std::isnan(value) ? RawField() : RawField(value);
}

template <class Offset>
RawField text_at(const ArrowArray& array, int64_t at) {
  const auto offsets = static_cast<const Offset*>(array.buffers[1]);
  return RawField(std::string(static_cast<const char*>(array.buffers[2]) + offsets[at],
                              static_cast<size_t>(offsets[at + 1] - offsets[at])));
}

// A view is 16 bytes: the size, and 12 bytes of text or 4 of it, a buffer and a place in it.
RawField view_at(const ArrowArray& array, int64_t at) {
  const auto view = static_cast<const char*>(array.buffers[1]) + 16 * at;
  int32_t size, buffer, place;
  std::memcpy(&size, view, 4);
  if (size <= 12) return RawField(std::string(view + 4, static_cast<size_t>(size)));
  std::memcpy(&buffer, view + 8, 4);
  std::memcpy(&place, view + 12, 4);
  return RawField(std::string(static_cast<const char*>(array.buffers[2 + buffer]) + place,
                              static_cast<size_t>(size)));
}

using Read = RawField (*)(const ArrowArray& array, int64_t at);

template <class T>
RawField integer_at(const ArrowArray& array, int64_t at) {
  const T value = number_at<T>(array, at);
  if constexpr (std::is_same_v<T, uint64_t>) {
    if (value > static_cast<uint64_t>(INT64_MAX)) return RawField(static_cast<double>(value));
  }
  return RawField(static_cast<int64_t>(value));
}

template <class T>
RawField real_at(const ArrowArray& array, int64_t at) {
  return of_double(static_cast<double>(number_at<T>(array, at)));
}

RawField half_at(const ArrowArray& array, int64_t at) {
  return of_double(static_cast<double>(fp16_value(number_at<uint16_t>(array, at))));
}

// A whole number of 128 bits (two's complement, little end first), times 10^-scale.
double decimal_at(const ArrowArray& array, int64_t at, int scale) {
  const auto* const words = static_cast<const char*>(array.buffers[1]) + 16 * at;
  uint64_t low, high;
  std::memcpy(&low, words, 8);
  std::memcpy(&high, words + 8, 8);
  const bool negative = (high >> 63) != 0;
  if (negative) {
    low = ~low + 1;
    high = ~high + (low == 0 ? 1 : 0);
  }
  const double size = std::ldexp(static_cast<double>(high), 64) + static_cast<double>(low);
  return (negative ? -size : size) / std::pow(10.0, scale);
}

// Null: not a type of numbers or text.
Read reader_of(const std::string& format) {
  static const std::pair<const char*, Read> kReaders[] = {
      {"b",
       [](const ArrowArray& a, int64_t at) { return RawField(int64_t{bit(a.buffers[1], at)}); }},
      {"c", integer_at<int8_t>},
      {"C", integer_at<uint8_t>},
      {"s", integer_at<int16_t>},
      {"S", integer_at<uint16_t>},
      {"i", integer_at<int32_t>},
      {"I", integer_at<uint32_t>},
      {"l", integer_at<int64_t>},
      {"L", integer_at<uint64_t>},
      {"e", half_at},
      {"f", real_at<float>},
      {"g", real_at<double>},
      {"u", text_at<int32_t>},
      {"U", text_at<int64_t>},
      {"vu", view_at},
  };
  for (const auto& [name, read] : kReaders) {
    if (format == name) return read;
  }
  return nullptr;
}

bool is_null(const ArrowArray& array, int64_t at) {
  return array.null_count != 0 && array.n_buffers > 0 && array.buffers[0] &&
         !bit(array.buffers[0], at);
}

struct Column {
  size_t place;
  int64_t child;
  Read read;      // of the values, or of the places in the dictionary; null: decimals
  Read meaning;   // of the dictionary's entries; null: there is none
  int scale = 0;  // of decimals
};

// "d:19,10" or "d:19,10,128": the digits after the point; other widths are not read.
std::optional<int> decimal_scale(const std::string& format) {
  if (!format.starts_with("d:")) return std::nullopt;
  const std::vector<std::string> parts = split(format.substr(2), ',');
  if (parts.size() < 2 || (parts.size() > 2 && parts[2] != "128")) return std::nullopt;
  const auto scale = parse_finite(parts[1]);
  return scale ? std::optional(static_cast<int>(*scale)) : std::nullopt;
}

RawField field_at(const Column& column, const ArrowArray& array, int64_t row) {
  const int64_t at = array.offset + row;
  if (is_null(array, at)) return {};
  if (!column.read) return of_double(decimal_at(array, at, column.scale));
  if (!column.meaning) return column.read(array, at);
  const auto index = column.read(array, at).number();
  const ArrowArray& entries = *array.dictionary;
  if (!index || *index < 0 || *index >= static_cast<double>(entries.length))
    throw Error("the data frame has a category that is not in its list");
  const int64_t entry = entries.offset + static_cast<int64_t>(*index);
  return is_null(entries, entry) ? RawField() : column.meaning(entries, entry);
}

std::vector<Column> columns_of(const ArrowSchema& schema, RawTable& table) {
  std::vector<Column> out;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    const std::string name = child.name ? child.name : "";
    Column column{0, i, reader_of(child.format), nullptr};
    const std::optional<int> scale = decimal_scale(child.format);
    column.scale = scale.value_or(0);
    bool readable = column.read != nullptr || scale.has_value();
    if (child.dictionary) {
      column.meaning = reader_of(child.dictionary->format);
      readable = column.read && column.meaning;
    }
    if (!readable) {
      if (std::string(child.format) != "n")
        table.notes.push_back(fmt::format(
            "the column {} was left out: it has neither numbers nor text", printable(name)));
      continue;
    }
    if (table.find(name))
      throw Error(fmt::format("the data frame has two columns with the name {}", name));
    column.place = table.column(name);
    out.push_back(column);
  }
  return out;
}

}  // namespace

RawTable table_of_stream(ArrowArrayStream& stream) {
  RawTable table;
  table.kind = "frame";
  table.place_is = "row";
  Schema schema;
  check(stream, stream.get_schema(&stream, &schema), "list of columns");
  if (std::string(schema.format) != "+s")
    throw Error("a table is expected, with columns N, D and loss, and not a single column");
  const std::vector<Column> columns = columns_of(schema, table);
  int number = 0;
  for (;;) {
    Array batch;
    check(stream, stream.get_next(&stream, &batch), "rows");
    if (!batch.release) return table;
    for (int64_t row = 0; row < batch.length; ++row) {
      RawRow& to = table.rows.emplace_back();
      to.place = ++number;
      for (const Column& column : columns) {
        RawField field = field_at(column, *batch.children[column.child], batch.offset + row);
        if (!field.empty()) to.fields.emplace_back(column.place, std::move(field));
      }
    }
  }
}

}  // namespace bitlaw
