#include "table/text_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"

namespace bitlaw {
namespace {

struct Line {
  size_t begin;
  int number;  // from 1
  std::string_view text;
};

constexpr size_t kSample = 60;  // lines that are looked at
constexpr size_t kMostTitles = 12;

size_t after_mark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
}

// The first lines that are not empty. Line ends inside quotes end no line.
std::vector<Line> first_lines(std::string_view text) {
  std::vector<Line> lines;
  size_t begin = after_mark(text);
  int number = 1, first = 1;
  bool quoted = false;
  for (size_t i = begin; i <= text.size() && lines.size() < kSample; ++i) {
    const bool ends = i == text.size() || text[i] == '\n' || text[i] == '\r';
    if (!ends) {
      quoted ^= text[i] == '"';
      continue;
    }
    const bool is_two = i + 1 < text.size() && text[i] == '\r' && text[i + 1] == '\n';
    number += !is_two;
    if (quoted && i < text.size()) continue;
    const std::string_view line = text.substr(begin, i - begin);
    if (!trim(line).empty()) lines.push_back({begin, first, line});
    begin = i + 1, first = number;
  }
  return lines;
}

// The character in "sep=;", which may stand in quotes.
std::optional<char> named_separator(std::string_view line) {
  std::string text = trim(line);
  if (text.size() > 1 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  if (text.size() != 5 || !(text.starts_with("sep=") || text.starts_with("SEP="))) return {};
  return text[4];
}

bool is_comment(std::string_view line) {
  return trim(line).starts_with('#');
}

size_t count_outside_quotes(std::string_view line, char sign) {
  size_t count = 0;
  bool quoted = false;
  for (const char c : line) {
    quoted ^= c == '"';
    count += !quoted && c == sign;
  }
  return count;
}

bool has_open_quote(std::string_view line) {
  return std::count(line.begin(), line.end(), '"') % 2 != 0;
}

// Of the first record in it; none if a quote is left open.
std::vector<std::string> fields_of(std::string_view line, char separator) {
  if (separator == '|') return split_pipes(line);
  if (separator == ' ') return split_blanks(line);
  std::vector<std::string> fields;
  if (has_open_quote(line)) return fields;
  read_csv_records(std::string(line), "", separator, [&](CsvRecord& record) {
    if (fields.empty()) fields = std::move(record.fields);
  });
  return fields;
}

size_t field_count(std::string_view line, char separator) {
  return has_open_quote(line) ? 1 : fields_of(line, separator).size();
}

bool is_number(const std::string& field) {
  if (parse_count(field)) return true;
  std::string with_point = field;  // 5,3369
  std::replace(with_point.begin(), with_point.end(), ',', '.');
  return parse_count(with_point).has_value();
}

bool all_numbers(const std::vector<std::string>& fields) {
  return std::all_of(fields.begin(), fields.end(), is_number);
}
bool no_number(const std::vector<std::string>& fields) {
  return std::none_of(fields.begin(), fields.end(), is_number);
}

// The comma, tab or semicolon that the line has most of; | and blanks if it has none.
char separator_of(std::string_view line) {
  char best = ',';
  size_t most = 0;
  for (const char each : {',', '\t', ';'}) {
    const size_t count = count_outside_quotes(line, each);
    if (count > most) best = each, most = count;
  }
  if (most > 0) return best;
  if (count_outside_quotes(line, '|') > 0) return '|';
  return trim(line).find_first_of(" \t") != std::string::npos ? ' ' : ',';
}

// Whether lines [first, end) all have this many fields.
bool agree(const std::vector<Line>& lines, size_t first, size_t end, char separator, size_t count) {
  for (size_t i = first; i < end; ++i) {
    if (!is_comment(lines[i].text) && field_count(lines[i].text, separator) != count) return false;
  }
  return true;
}

// Where a table with | and a rule has its header: the line before the first rule that has a |, or
// behind it if the table begins with one.
std::optional<size_t> header_of_pipes(const std::vector<Line>& lines) {
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    if (!is_rule(lines[i].text)) continue;
    const auto has_pipe = [&](size_t line) {
      return lines[line].text.find('|') != std::string_view::npos;
    };
    if (i > 0 && has_pipe(i - 1) && !is_rule(lines[i - 1].text)) return i - 1;
    if (has_pipe(i + 1) && !is_rule(lines[i + 1].text)) return i + 1;
  }
  return std::nullopt;
}

struct Header {
  size_t line;
  char separator;
};

// A line below `first` from which on all lines have its number of fields, while those before have
// fewer; it holds no number.
std::optional<Header> header_below(const std::vector<Line>& lines, size_t first, char given) {
  for (size_t i = first + 1; i + 1 < lines.size() && i - first <= kMostTitles; ++i) {
    if (is_comment(lines[i].text)) continue;
    for (const char separator : {',', '\t', ';', ' '}) {
      if (given != 0 && separator != given) continue;
      const std::vector<std::string> names = fields_of(lines[i].text, separator);
      if (names.size() < 2 || has_open_quote(lines[i].text) || !no_number(names)) continue;
      const bool wider = std::all_of(
          lines.begin() + static_cast<long>(first), lines.begin() + static_cast<long>(i),
          [&](const Line& line) { return field_count(line.text, separator) < names.size(); });
      if (wider && agree(lines, i + 1, lines.size(), separator, names.size()))
        return Header{i, separator};
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_rule(std::string_view line) {
  const std::string text = trim(line);
  return text.find_first_not_of("|+-=: \t") == std::string::npos &&
         text.find_first_of("-=") != std::string::npos &&
         text.find_first_of("|+") != std::string::npos;
}

std::vector<std::string> split_pipes(std::string_view line) {
  std::string text = trim(line);
  if (text.starts_with('|')) text.erase(0, 1);
  if (text.ends_with('|') && !text.ends_with("\\|")) text.pop_back();
  std::vector<std::string> fields(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '|') {
      fields.back() += text[++i];
    } else if (text[i] == '|') {
      fields.emplace_back();
    } else {
      fields.back() += text[i];
    }
  }
  for (std::string& field : fields) {
    field = trim(field);
    // **best** and `code`
    for (const std::string_view mark : {"**", "`"}) {
      if (field.size() > 2 * mark.size() && field.starts_with(mark) && field.ends_with(mark))
        field = field.substr(mark.size(), field.size() - 2 * mark.size());
    }
  }
  return fields;
}

std::vector<std::string> split_blanks(std::string_view line) {
  std::vector<std::string> fields;
  bool quoted = false, open = false;
  for (const char c : line) {
    if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
      open = false;
      continue;
    }
    if (!open) fields.emplace_back();
    open = true;
    if (c == '"')
      quoted = !quoted;
    else
      fields.back() += c;
  }
  return fields;
}

TextLayout layout_of(const std::string& text, const std::string& where, char separator) {
  std::vector<Line> lines = first_lines(text);
  TextLayout layout{.separator = separator == 0 ? ',' : separator, .begin = after_mark(text)};
  size_t first = 0;
  if (!lines.empty()) {
    if (const auto named = named_separator(lines[0].text)) separator = *named, first = 1;
  }
  const auto begin_at = [&](size_t line, char with) {
    layout.separator = with, layout.begin = lines[line].begin, layout.line = lines[line].number;
  };
  if (const auto header = header_of_pipes(lines); header && (separator == 0 || separator == '|')) {
    begin_at(*header, '|');
    return layout;
  }
  std::optional<size_t> comment;
  for (; first < lines.size() && is_comment(lines[first].text); ++first) comment = first;
  if (first == lines.size()) {
    if (comment) begin_at(*comment, separator_of(lines[*comment].text)), layout.commented = true;
    return layout;
  }
  char chosen = separator != 0 ? separator : separator_of(lines[first].text);
  std::vector<std::string> names = fields_of(lines[first].text, chosen);
  if (separator == 0 && chosen == ' ' &&
      (names.size() < 2 || !(agree(lines, first + 1, lines.size(), ' ', names.size()) ||
                             agree(lines, first + 1, lines.size(), ' ', names.size() + 1)))) {
    chosen = ',';
    names = fields_of(lines[first].text, ',');
  }
  begin_at(first, chosen);
  if (comment && !no_number(names)) {
    const std::string named = trim(lines[*comment].text).substr(1);
    const std::vector<std::string> commented = fields_of(named, chosen);
    if (commented.size() == names.size() && no_number(commented)) {
      begin_at(*comment, chosen);
      layout.commented = true;
      return layout;
    }
  }
  if (!names.empty() && all_numbers(names)) {
    throw Error(fmt::format(
        "{}: line {} holds numbers where the names of columns are expected; begin the file with a "
        "line such as N,D,loss",
        where, lines[first].number));
  }
  if (first + 1 < lines.size() && field_count(lines[first + 1].text, chosen) == names.size() &&
      names.size() > 1)
    return layout;
  if (const auto header = header_below(lines, first, separator)) {
    layout.titles = static_cast<int>(header->line - first);
    begin_at(header->line, header->separator);
  }
  return layout;
}

void read_laid_out(const std::string& text, const std::string& where, const TextLayout& layout,
                   const std::function<void(CsvRecord&)>& each) {
  if (layout.separator != '|' && layout.separator != ' ') {
    const std::string rest = layout.begin == 0 ? "" : text.substr(layout.begin);
    read_csv_records(layout.begin == 0 ? text : rest, where, layout.separator,
                     [&](CsvRecord& record) {
                       record.line += layout.line - 1;
                       each(record);
                     });
    return;
  }
  CsvRecord record{layout.line, {}};
  std::string_view rest = std::string_view(text).substr(layout.begin);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    const bool has_fields = layout.separator == ' '
                                ? !trim(line).empty()
                                : line.find('|') != std::string_view::npos && !is_rule(line);
    if (has_fields) {
      record.fields = layout.separator == ' ' ? split_blanks(line) : split_pipes(line);
      const int number = record.line;
      each(record);
      record.line = number;
    }
    const bool is_two = rest.substr(end).starts_with("\r\n");
    rest.remove_prefix(std::min(rest.size(), end + (is_two ? 2 : 1)));
    ++record.line;
  }
}

}  // namespace bitlaw
