#include "base/csv.h"

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

}  // namespace

char csv_separator(const std::string& text) {
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

void read_csv_records(const std::string& text, const std::string& where, char separator,
                      const std::function<void(CsvRecord&)>& each) {
  CsvRecord record{1, {}};
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

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\n\r") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + "\n";
}

}  // namespace bitlaw
