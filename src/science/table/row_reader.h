// The fields of one row as text and numbers. Every Error names the file, the row, the column and
// what to do.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// A field that cannot be read.
class RowError : public Error {
 public:
  RowError(const std::string& where, std::string place, std::string column, std::string problem);

  const std::string place, column;  // "line 7", "P_w"
  const std::string problem;        // "x is not a number"
};

// The errors of several rows, each kind of them once: "t.csv: line 4, column P_w: x is not a number (and
// in 15 more rows); line 9, column loss: -3 must be positive".
class RowProblems {
 public:
  void add(const RowError& error);
  void must_be_none(const std::string& where) const;  // throws the Error
  std::string listed() const;                         // "" if there are none

 private:
  struct Kind {
    std::string column, problem, first;
    int more = 0;
  };
  std::vector<Kind> kinds_;
  int others_ = 0;
};

class RowReader {
 public:
  // `scale` as parse_scale() gives it. `filtered`: --where chooses among these rows, so that errors
  // may advise it.
  RowReader(const RawTable& table, const Columns& columns,
            const std::map<std::string, double>& scale, std::string where, bool filtered = true);

  void start(const RawRow& row) { row_ = &row; }

  // Columns by canonical names. A word for a missing value (missing.h) is an empty field.
  bool has(const char* column) const { return !field(column).empty(); }  // not empty in this row
  std::string text(const char* column) const { return field(column).text(); }
  std::string column_name(const char* column) const { return columns_.file_name(column); }

  // In our unit; NaN if the column is absent or the field empty. Error if it is not a number.
  double number(const char* column) const;
  double positive(const char* column) const;  // Error if empty, or not above 0
  double positive_or_unknown(const char* column) const;
  double not_negative(const char* column) const;  // NaN if empty
  // A count, which may end in k, M, B or T ("1.5B").
  double count(const char* column) const;             // Error if empty, or not above 0
  double count_or_unknown(const char* column) const;  // NaN if empty
  // At least 1; `otherwise` if empty. 16 and more is not quantized.
  double bits(const char* column, double otherwise) const;

  [[noreturn]] void fail(const char* column, const std::string& what,
                         const std::string& problem) const;

 private:
  const RawField& field(const char* column) const;
  const RawField& written(const char* column) const;         // also a word for a missing value
  double parse(const char* column, bool with_suffix) const;  // in our unit
  std::string remedy(const char* column, const std::string& text) const;
  // How to leave out the rows that a condition such as ">0" on the column does not keep.
  std::string advice(const char* column, const std::string& condition) const;

  const RawTable& table_;
  const Columns& columns_;
  const std::map<std::string, double>& scale_;
  std::string where_;
  bool filtered_;
  const RawRow* row_ = nullptr;
};

}  // namespace bitlaw
