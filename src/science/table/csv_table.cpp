#include "table/csv_table.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "table/decimal_comma.h"
#include "table/text_layout.h"

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

// "# N D loss"
void take_comment_sign(CsvRecord& header) {
  std::string& first = header.fields[0];
  const size_t name = first.find_first_not_of("# \t");
  if (name != std::string::npos)
    first.erase(0, name);
  else if (header.fields.size() > 1)
    header.fields.erase(header.fields.begin());
}

// A line below the header that begins with # is a comment, unless it looks like a row.
bool is_comment(const CsvRecord& record, const RawTable& table) {
  const std::string& first = record.fields[0];
  if (!first.starts_with('#') || table.columns()[0].starts_with('#')) return false;
  return first.size() == 1 || first[1] == ' ' || record.fields.size() != table.columns().size();
}

const char* name_of(char separator) {
  return separator == ';'    ? "semicolons"
         : separator == '\t' ? "tabs"
         : separator == '|'  ? "|"
         : separator == ' '  ? "blanks"
                             : "commas";
}

}  // namespace

RawTable read_csv(const std::string& text, const std::string& where, char separator) {
  const TextLayout layout = layout_of(text, where, separator);
  RawTable table;
  table.kind = layout.separator == '\t' ? "tsv" : "csv";
  int comments = 0;
  read_laid_out(text, where, layout, [&](CsvRecord& record) {
    const size_t columns = table.columns().size();
    if (columns == 0) {
      if (layout.commented) take_comment_sign(record);
      read_header(table, record, where);
      return;
    }
    if (is_comment(record, table)) {
      ++comments;
      return;
    }
    if (record.fields.size() != columns) {
      throw Error(fmt::format(
          "{}: line {} has {} fields, the header has {}{}", where, record.line,
          record.fields.size(), columns,
          columns == 1 ? fmt::format(" (separated by {})", name_of(layout.separator)) : ""));
    }
    RawRow row{record.line, {}};
    for (size_t i = 0; i < columns; ++i) {
      if (!record.fields[i].empty()) row.fields.emplace_back(i, std::move(record.fields[i]));
    }
    table.rows.push_back(std::move(row));
  });
  if (table.columns().empty())
    throw Error(fmt::format("{}: is empty; expected a CSV table with a header line", where));
  if (layout.titles > 0) {
    table.notes.push_back(fmt::format("The header is line {}; {} above it {} passed over.",
                                      layout.line, layout.titles == 1 ? "the line" : "the lines",
                                      layout.titles == 1 ? "is" : "are"));
  }
  if (comments > 0) {
    table.notes.push_back(fmt::format("{} that begin{} with # {} passed over as {}.",
                                      comments == 1 ? "1 line" : fmt::format("{} lines", comments),
                                      comments == 1 ? "s" : "", comments == 1 ? "is" : "are",
                                      comments == 1 ? "a comment" : "comments"));
  }
  if (layout.separator != ',') read_decimal_commas(table, layout.separator == ';', where);
  return table;
}

}  // namespace bitlaw
