// How a table of text is laid out: what stands before its header line, and what separates fields.
//
//   sep=;                  Excel's first line names the separator
//   # ...                  comments; the last one is the header if the next line holds numbers and
//                          has as many fields (numpy.savetxt)
//   Sweep of March         titles: lines before the first one from which on all lines have the same
//                          number of fields, if that one holds no number
//   N,D,loss               the header. Separated by the comma, semicolon or tab it has most of; by
//                          blanks if it has none of these, no | either, and the lines below agree
//   | N | D | loss |       or a table of Markdown, psql or tabulate: | between fields, and lines of
//   |---|---|------|       - = + : | between the header and the rows, which are passed over
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"

namespace bitlaw {

struct TextLayout {
  char separator = ',';    // or ; or a tab, or |, or a blank for any number of blanks
  size_t begin = 0;        // where the header begins in the text
  int line = 1;            // its number
  int titles = 0;          // lines before it that are neither empty nor comments
  bool commented = false;  // the header is a comment: its # is no part of the first name
};

// `separator` 0: any. Error, naming `where`, if the text begins with numbers and has no header.
TextLayout layout_of(const std::string& text, const std::string& where, char separator = 0);

// A line between rows of a table with |: "|---|:--:|", "+----+----+", "-----+-----".
bool is_rule(std::string_view line);

// The fields of one line of such a table, or of one with blanks between its fields, where a field in
// double quotes may have blanks.
std::vector<std::string> split_pipes(std::string_view line);
std::vector<std::string> split_blanks(std::string_view line);

// Calls `each` with every record from the header on, lines counted from 1 at the beginning of the
// text. Rules, and lines without | beside a table that has them, are passed over.
void read_laid_out(const std::string& text, const std::string& where, const TextLayout& layout,
                   const std::function<void(CsvRecord&)>& each);

}  // namespace bitlaw
