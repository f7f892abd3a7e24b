#include "table/csv_table.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"

namespace bitlaw {
namespace {

void read_header(RawTable& table, const CsvRecord& header, const std::string& where) {
  for (size_t i = 0; i < header.fields.size(); ++i) {
    const std::string& name = header.fields[i];
    const std::string unique = name.empty() ? fmt::format("column {}", i + 1) : name;
    if (table.find(unique))
      throw Error(fmt::format("{}: column {} appears twice; rename one", where, unique));
    table.column(unique);
  }
}

}  // namespace

RawTable read_csv(const std::string& text, const std::string& where, char separator) {
  if (separator == 0) separator = csv_separator(text);
  RawTable table;
  table.kind = separator == '\t' ? "tsv" : "csv";
  read_csv_records(text, where, separator, [&](CsvRecord& record) {
    const size_t columns = table.columns().size();
    if (columns == 0) {
      read_header(table, record, where);
      return;
    }
    if (record.fields.size() != columns) {
      throw Error(fmt::format("{}: line {} has {} fields, the header has {}", where, record.line,
                              record.fields.size(), columns));
    }
    RawRow row{record.line, {}};
    for (size_t i = 0; i < columns; ++i) {
      if (!record.fields[i].empty()) row.fields.emplace_back(i, std::move(record.fields[i]));
    }
    table.rows.push_back(std::move(row));
  });
  if (table.columns().empty())
    throw Error(fmt::format("{}: is empty; expected a CSV table with a header line", where));
  return table;
}

}  // namespace bitlaw
