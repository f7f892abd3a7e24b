#include "runs/packed_rows.h"

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace bitlaw {
namespace {

// Cells repeat most of their run's row, so of each row only the fields are kept that are not as in the
// row before: a bit for each column, then the values. Numbers are in the machine's order of bytes; the
// index says which one that is.

template <class T>
void append_plain(std::string& bytes, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_field(std::string& bytes, const std::string& text) {
  append_plain(bytes, static_cast<uint32_t>(text.size()));
  bytes += text;
}
void append_field(std::string& bytes, double number) {
  append_plain(bytes, number);
}
void append_field(std::string& bytes, const std::optional<int64_t>& number) {
  append_plain(bytes, static_cast<uint8_t>(number.has_value()));
  if (number) append_plain(bytes, *number);
}

bool same_field(const std::string& a, const std::string& b) {
  return a == b;
}
bool same_field(double a, double b) {  // bit by bit
  return std::memcmp(&a, &b, sizeof a) == 0;
}
bool same_field(const std::optional<int64_t>& a, const std::optional<int64_t>& b) {
  return a == b;
}

struct Unpacker {
  std::string_view bytes;
  bool good = true;

  template <class T>
  T plain() {
    T value{};
    if (bytes.size() < sizeof value) {
      good = false;
      return value;
    }
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes.remove_prefix(sizeof value);
    return value;
  }
  void field(std::string& text) {
    const auto size = plain<uint32_t>();
    if (bytes.size() < size) good = false;
    if (!good) return;
    text.assign(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  void field(double& number) { number = plain<double>(); }
  void field(std::optional<int64_t>& number) {
    number.reset();
    if (plain<uint8_t>() != 0) number = plain<int64_t>();
  }
};

size_t bytes_of_bits() {
  return (tidy_columns().size() + 7) / 8;
}

// The fields of a row, to be compared with those of another.
class Fields {
 public:
  explicit Fields(const TidyRow& row) {
    for_each_column(
        row, [&](const char*, const auto& field, const char*) { fields_.push_back(&field); });
  }
  template <class T>
  const T& at(size_t column) const {
    return *static_cast<const T*>(fields_[column]);
  }

 private:
  std::vector<const void*> fields_;
};

void append_row(std::string& bytes, const TidyRow& row, const TidyRow& before) {
  const Fields fields_before(before);
  const size_t bits = bytes.size();
  bytes.append(bytes_of_bits(), '\0');
  size_t column = 0;
  for_each_column(row, [&](const char*, const auto& field, const char*) {
    using T = std::decay_t<decltype(field)>;
    if (!same_field(field, fields_before.at<T>(column))) {
      char& place = bytes[bits + column / 8];
      place = static_cast<char>(static_cast<unsigned char>(place) | 1U << column % 8);
      append_field(bytes, field);
    }
    ++column;
  });
}

}  // namespace

std::string pack_rows(const std::vector<TidyRow>& rows) {
  std::string bytes;
  TidyRow none;
  const TidyRow* before = &none;
  for (const TidyRow& row : rows) {
    append_row(bytes, row, *before);
    before = &row;
  }
  return bytes;
}

std::optional<std::vector<TidyRow>> unpack_rows(std::string_view bytes) {
  std::vector<TidyRow> rows;
  Unpacker unpacker{bytes};
  const size_t width = bytes_of_bits();
  while (unpacker.good && !unpacker.bytes.empty()) {
    if (unpacker.bytes.size() < width) return std::nullopt;
    const std::string_view bits = unpacker.bytes.substr(0, width);
    unpacker.bytes.remove_prefix(width);
    TidyRow row = rows.empty() ? TidyRow{} : rows.back();
    size_t column = 0;
    auto read = [&](const char*, auto& field, const char*) {
      if (static_cast<unsigned char>(bits[column / 8]) >> column % 8 & 1U) unpacker.field(field);
      ++column;
    };
    row.visit(read);
    rows.push_back(std::move(row));
  }
  return unpacker.good ? std::optional(std::move(rows)) : std::nullopt;
}

}  // namespace bitlaw
