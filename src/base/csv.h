// CSV by RFC 4180: one record a line; fields in double quotes may hold separators, line ends and
// doubled quotes. Read, lines end in LF, CRLF or CR; empty lines are skipped; blanks around an
// unquoted field do not count.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bitlaw {

struct CsvRecord {
  int line;  // where it begins, from 1
  std::vector<std::string> fields;
};

// The comma, semicolon or tab that the first line with anything in it has most of, outside quotes.
char csv_separator(const std::string& text);

// Calls `each` with every record that is not an empty line; it may take the fields. Error, naming
// `where` and the line, if a quoted field never ends.
void read_csv_records(const std::string& text, const std::string& where, char separator,
                      const std::function<void(CsvRecord&)>& each);

// The fields with commas between them and a line end, quoted where needed.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace bitlaw
