// A table from elsewhere as the rows that a report shows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "record/tidy_row.h"
#include "report/report.h"
#include "table/table.h"

namespace bitlaw {

struct ReportRows {
  std::vector<TidyRow> rows;       // one for each of the table, in their order
  std::vector<FactorRow> factors;  // of each of them
};

// A cell whose method is not known counts as GPTQ, as in a fit. A precision that names no bits ("nf4-like",
// and not BF16 or the table's reference) has none: its P_w, P_a and P_kv are NaN, and its label is its name.
ReportRows report_rows(const Table& table);

// How the table and its fit are called, in messages, and the factors that rows may differ in.
struct ReportedTable {
  std::string path, law, fit;
  std::vector<std::string> pooled = {};
};

// What a report of a table is made of; title, fit and comparison are the caller's. Error for a table
// that has neither N nor D.
ReportInput report_input(const Table& table, const ReportedTable& names);

// What a row without a name is called: "row 1" is the first.
std::string name_of_unnamed(size_t place);

}  // namespace bitlaw
