// CSV as in RFC 4180: one record per line; fields in double quotes may contain separators, line
// ends and doubled quotes. The reader accepts LF, CRLF and CR as line ends, skips empty lines, and
// ignores blanks around an unquoted field.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bitlaw {

struct CsvRecord {
  int line;  // of its start, from 1
  std::vector<std::string> fields;
};

// The separator: comma, semicolon or tab, whichever is most frequent outside quotes in the first
// line that is not empty.
char csv_separator(const std::string& text);

// Calls `each` with every record that is not an empty line; `each` may move the fields out. Error,
// naming `where` and the line, if a quoted field never ends.
void read_csv_records(const std::string& text, const std::string& where, char separator,
                      const std::function<void(CsvRecord&)>& each);

// The fields with commas between them and a line end, quoted if needed.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace bitlaw
