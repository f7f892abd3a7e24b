#include "table/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

size_t begin_of(const std::string& text) {
  return text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte order mark
}

// The separator that the first line with anything in it has most of, outside quotes.
char separator_of(const std::string& text) {
  constexpr char kSeparators[] = {',', '\t', ';'};
  std::array<int, 3> counts{};
  bool quoted = false, any = false;
  for (size_t i = begin_of(text); i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if ((c == '\n' || c == '\r') && any) break;
    any |= c != '\n' && c != '\r' && c != ' ';
    for (size_t s = 0; s < counts.size(); ++s) counts[s] += c == kSeparators[s];
  }
  return kSeparators[std::max_element(counts.begin(), counts.end()) - counts.begin()];
}

struct Record {
  int line;  // where it begins, from 1
  std::vector<std::string> fields;
};

// Calls `each` with every record that is not an empty line.
template <class Each>
void parse(const std::string& text, const std::string& where, char separator, const Each& each) {
  Record record{1, {}};
  std::string field;
  bool quoted = false, was_quoted = false;
  int line = 1;
  const auto end_field = [&] {
    record.fields.push_back(was_quoted ? field : trim(field));
    field.clear();
    was_quoted = false;
  };
  const auto end_record = [&] {
    end_field();
    if (record.fields.size() > 1 || !record.fields[0].empty()) each(record);
    record.fields.clear();
  };
  for (size_t i = begin_of(text); i < text.size(); ++i) {
    const char c = text[i];
    if (record.fields.empty() && field.empty() && !quoted) record.line = line;
    const bool line_ends =
        c == '\n' || (c == '\r' && !(i + 1 < text.size() && text[i + 1] == '\n'));
    line += line_ends;
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"', ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && !was_quoted && trim(field).empty()) {
      field.clear();
      quoted = was_quoted = true;
    } else if (c == separator) {
      end_field();
    } else if (line_ends) {
      end_record();
    } else if (c != '\r') {
      field += c;
    }
  }
  if (quoted) {
    throw Error(
        fmt::format("{}: a quoted field that begins in line {} never ends", where, record.line));
  }
  if (!field.empty() || was_quoted || !record.fields.empty()) end_record();
}

void read_header(RawTable& table, const Record& header, const std::string& where) {
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
  if (separator == 0) separator = separator_of(text);
  RawTable table;
  table.kind = separator == '\t' ? "tsv" : "csv";
  parse(text, where, separator, [&](Record& record) {
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
