// A table before its columns are interpreted: named columns, and rows of fields. All file formats,
// and rows in memory, are converted to it. Only nonempty fields are kept, so that a file of objects
// with different keys takes memory in proportion to its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bitlaw {

// Text, or a number if the source has numbers.
class RawField {
 public:
  RawField() = default;
  RawField(std::string text) : value_(std::move(text)) {}
  RawField(const char* text) : value_(text) {}
  explicit RawField(double number) : value_(number) {}
  explicit RawField(int64_t number) : value_(number) {}

  bool empty() const { return view().empty() && !number(); }
  std::string_view view() const;         // text only
  std::string text() const;              // of a number with all digits
  std::optional<double> number() const;  // empty for text

 private:
  std::variant<std::string, double, int64_t> value_;
};

struct RawRow {
  int place = 0;                                    // its line, or its number in a list, from 1
  int source = 0;                                   // of several files, which
  std::vector<std::pair<size_t, RawField>> fields;  // columns ascending

  const RawField& at(size_t column) const;  // an empty one if the row has no such field
  void set(size_t column, RawField field);
};

class RawTable {
 public:
  std::vector<RawRow> rows;
  std::string kind;  // "csv", "tsv", "json", "jsonl", "quest", "runs", or "several" of these
  const char* place_is = "line";     // what RawRow::place counts, for messages
  std::vector<std::string> sources;  // of several files: "a.csv, line"
  std::vector<std::string> notes;    // sentences on how the text was read

  const std::vector<std::string>& columns() const { return columns_; }
  std::optional<size_t> find(const std::string& name) const;
  std::string place_of(const RawRow& row) const;  // "line 7", of several files "a.csv, line 7"
  size_t column(const std::string& name);         // its place; adds the column if it is missing

 private:
  std::vector<std::string> columns_;
  std::map<std::string, size_t> places_;
};

// "auto" or one of table_formats(). `where` is the file's name for messages.
//
//   csv    RFC 4180: a header line, fields separated by commas (or semicolons), quotes as usual
//   tsv    the same with tabs
//   json   a list of objects; an object with such a list in it; or an object of equally long lists
//   jsonl  one object per line
//   quest  json with the fields of QuEST's runs_for_scaling.json (importers.h)
//
// Nested objects become columns with dots ("args.lr"); lists inside a row become texts, or their
// entry if they have one. "auto" detects the format from the content. Error if the text is empty,
// is not of the format, or is not text at all (a workbook, an archive).
RawTable read_raw_table(const std::string& text, const std::string& where,
                        const std::string& format = "auto");

const std::vector<std::string>& table_formats();

}  // namespace bitlaw
