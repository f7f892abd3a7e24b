// The fields of one row as text and numbers. Every Error names the file, the row, the column and
// what to do.
#pragma once

#include <map>
#include <string>

#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

class RowReader {
 public:
  // `scale` as parse_scale() gives it. `filtered`: --where chooses among these rows, so that errors
  // may advise it.
  RowReader(const RawTable& table, const Columns& columns,
            const std::map<std::string, double>& scale, std::string where, bool filtered = true);

  void start(const RawRow& row) { row_ = &row; }

  // Columns by canonical names.
  bool has(const char* column) const { return !field(column).empty(); }  // not empty in this row
  std::string text(const char* column) const { return field(column).text(); }

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
  double parse(const char* column, bool with_suffix) const;  // in our unit
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
