#include "table/raw_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/known_content.h"
#include "base/names.h"
#include "table/csv_table.h"
#include "table/importers.h"
#include "table/json_table.h"

namespace bitlaw {
namespace {

// How files begin that are not text.
struct Magic {
  std::string bytes;
  const char* what;
};

// Markup and settings that a reader of CSV would take for a header.
std::string foreign_markup(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  const std::string first = text.substr(begin, text.find('\n', begin) - begin);
  if (first.starts_with('<'))
    return "is HTML or XML; save the table as CSV, in pandas with read_html(...)[0].to_csv(...)";
  if (first.starts_with("[[") && first.size() > 2 &&
      std::isalpha(static_cast<unsigned char>(first[2])))
    return "is TOML; write it as JSON or CSV";
  if (first.starts_with("- ") && first.find(": ") != std::string::npos)
    return "is YAML; write it as JSON, in Python with json.dump(yaml.safe_load(...), ...)";
  if (first.starts_with("\\begin{") ||
      (first.find('&') != std::string::npos && first.find("\\\\") != std::string::npos))
    return "is a table of LaTeX; write it as CSV, with commas for & and without \\\\";
  return "";
}

void must_be_text(const std::string& text, const std::string& where) {
  static const std::vector<Magic> magics{
      {"PK\x03\x04", "a zip archive or an Excel workbook; save the sheet as CSV"},
      {"\x1f\x8b", "compressed by gzip; unpack it first"},
      {"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"},
      {"PAR1", "a Parquet file; write it as CSV first"},
      {"SQLite format 3", "an SQLite database; export its table as CSV"},
      {"\x93NUMPY", "an array of numpy; numpy.savetxt writes it as text"},
      {"\x89HDF\r\n", "an HDF5 file; in pandas, read_hdf(...).to_csv(...) writes it as CSV"},
      {"\x80\x04", "a Python pickle; in pandas, read_pickle(...).to_csv(...) writes it as CSV"},
      {"\x80\x05", "a Python pickle; in pandas, read_pickle(...).to_csv(...) writes it as CSV"},
      {"ARROW1", "an Arrow table; in pandas, read_feather(...).to_csv(...) writes it as CSV"},
      {"\xff\xfe", "text in UTF-16; save it as UTF-8"},
      {"\xfe\xff", "text in UTF-16; save it as UTF-8"},
  };
  for (const Magic& magic : magics) {
    if (text.starts_with(magic.bytes)) throw Error(fmt::format("{}: is {}", where, magic.what));
  }
  if (const std::string known = known_content(text); !known.empty())
    throw Error(fmt::format("{}: {}", where, known));
  if (const std::string markup = foreign_markup(text); !markup.empty())
    throw Error(fmt::format("{}: {}", where, markup));
  if (const size_t zero = text.find('\0'); zero != std::string::npos) {
    throw Error(fmt::format("{}: is not a text file (a zero byte in line {}); expected CSV or JSON",
                            where, 1 + std::count(text.begin(), text.begin() + zero, '\n')));
  }
}

std::string format_of(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n", text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  if (begin == std::string::npos) return "csv";
  if (text[begin] == '[') return "json";
  if (text[begin] == '{') return looks_like_jsonl(text) ? "jsonl" : "json";
  return "csv";
}

}  // namespace

std::string_view RawField::view() const {
  const auto* text = std::get_if<std::string>(&value_);
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::string RawField::text() const {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
          return value;
        else if (!std::isfinite(static_cast<double>(value)))
          return value < 0 ? "-inf" : "inf";  // JSON has none
        else
          return dump_json(Json(value));
      },
      value_);
}

std::optional<double> RawField::number() const {
  if (const auto* number = std::get_if<double>(&value_)) return *number;
  if (const auto* number = std::get_if<int64_t>(&value_)) return static_cast<double>(*number);
  return std::nullopt;
}

const RawField& RawRow::at(size_t column) const {
  static const RawField empty;
  const auto place =
      std::lower_bound(fields.begin(), fields.end(), column,
                       [](const auto& field, size_t wanted) { return field.first < wanted; });
  return place == fields.end() || place->first != column ? empty : place->second;
}

void RawRow::set(size_t column, RawField field) {
  const auto place =
      std::lower_bound(fields.begin(), fields.end(), column,
                       [](const auto& field, size_t wanted) { return field.first < wanted; });
  if (place != fields.end() && place->first == column)
    place->second = std::move(field);
  else
    fields.emplace(place, column, std::move(field));
}

std::optional<size_t> RawTable::find(const std::string& name) const {
  const auto place = places_.find(name);
  if (place == places_.end()) return std::nullopt;
  return place->second;
}

std::string RawTable::place_of(const RawRow& row) const {
  const auto source = static_cast<size_t>(row.source);
  return fmt::format("{} {}", source < sources.size() ? sources[source] : place_is, row.place);
}

size_t RawTable::column(const std::string& name) {
  const auto [place, is_new] = places_.emplace(name, columns_.size());
  if (is_new) columns_.push_back(name);
  return place->second;
}

const std::vector<std::string>& table_formats() {
  static const std::vector<std::string> formats{"csv", "tsv", "json", "jsonl", "quest"};
  return formats;
}

RawTable read_raw_table(const std::string& text, const std::string& where,
                        const std::string& format) {
  const std::vector<std::string>& known = table_formats();
  if (format != "auto" && std::find(known.begin(), known.end(), format) == known.end()) {
    throw Error(unknown_name("table format", format, known));
  }
  must_be_text(text, where);
  const std::string chosen = format == "auto" ? format_of(text) : format;
  RawTable table = chosen == "csv"     ? read_csv(text, where)
                   : chosen == "tsv"   ? read_csv(text, where, '\t')
                   : chosen == "jsonl" ? read_jsonl(text, where)
                                       : read_json_table(text, where);
  if (format == "quest" || (format == "auto" && is_quest(table))) import_quest(table, where);
  return table;
}

}  // namespace bitlaw
