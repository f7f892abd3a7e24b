#include "table/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/csv.h"
#include "base/error.h"
#include "base/number.h"
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

// Takes records up into a table.
class CsvReader {
 public:
  CsvReader(const TextLayout& layout, const std::string& where) : layout_(layout), where_(where) {
    table_.kind = layout.separator == '\t' ? "tsv" : "csv";
  }

  void add(CsvRecord& record) {
    if (table_.columns().empty()) {
      if (layout_.commented) take_comment_sign(record);
      read_header(table_, record, where_);
      columns_ = table_.columns().size();
    } else if (is_comment(record, table_)) {
      ++comments_;
    } else {
      add_row(record);
    }
  }

  RawTable finish() {
    if (table_.columns().empty())
      throw Error(fmt::format("{}: is empty; expected a CSV table with a header line", where_));
    must_be_even();
    if (layout_.titles > 0) {
      table_.notes.push_back(fmt::format(
          "The header is line {}; {} above it {} passed over.", layout_.line,
          layout_.titles == 1 ? "the line" : "the lines", layout_.titles == 1 ? "is" : "are"));
    }
    if (comments_ == 1)
      table_.notes.emplace_back("1 line that begins with # is passed over as a comment.");
    if (comments_ > 1) {
      table_.notes.push_back(
          fmt::format("{} lines that begin with # are passed over as comments.", comments_));
    }
    if (layout_.separator != ',') read_decimal_commas(table_, layout_.separator == ';', where_);
    return std::move(table_);
  }

 private:
  void must_be_even() const {
    if (uneven_ == 0) return;
    const int others = uneven_ - static_cast<int>(uneven_lines_.size());
    throw Error(fmt::format(
        "{}: {}{}, the header has {}{}", where_, fmt::join(uneven_lines_, ", "),
        others > 0 ? fmt::format(" and {} more line{} too few or too many", others,
                                 others == 1 ? " has" : "s have")
                   : "",
        columns_,
        columns_ == 1 ? fmt::format(" (separated by {})", name_of(layout_.separator)) : ""));
  }

  // R's write.table names the rows, 1, 2, 3 ... or by words, but not their column: every line has a
  // field more than the header.
  bool has_row_name(const CsvRecord& record) const {
    if (columns_ < 2 || record.fields.size() != columns_ + 1) return false;
    if (!table_.rows.empty() && !row_names_) return false;
    const std::string& name = record.fields[0];
    const auto number = parse_number(name);
    return number ? *number == static_cast<double>(table_.rows.size() + 1) : !name.empty();
  }

  void add_row(CsvRecord& record) {
    const bool named = has_row_name(record);
    if (named ? record.fields.size() != columns_ + 1
              : row_names_ || record.fields.size() != columns_) {
      constexpr int kMost = 8;
      if (++uneven_ <= kMost)
        uneven_lines_.push_back(fmt::format("line {} has {} field{}", record.line,
                                            record.fields.size(),
                                            record.fields.size() == 1 ? "" : "s"));
      return;
    }
    RawRow row{record.line, 0, {}};
    if (named) {
      row_names_ = true;
      std::rotate(record.fields.begin(), record.fields.begin() + 1, record.fields.end());
      table_.column("row names");
    }
    for (size_t i = 0; i < record.fields.size(); ++i) {
      if (!record.fields[i].empty()) row.fields.emplace_back(i, std::move(record.fields[i]));
    }
    table_.rows.push_back(std::move(row));
  }

  const TextLayout& layout_;
  const std::string& where_;
  RawTable table_;
  size_t columns_ = 0;  // of the header
  int comments_ = 0;
  bool row_names_ = false;
  int uneven_ = 0;  // lines with another number of fields than the header
  std::vector<std::string> uneven_lines_;
};

}  // namespace

RawTable read_csv(const std::string& text, const std::string& where, char separator) {
  const TextLayout layout = layout_of(text, where, separator);
  CsvReader reader(layout, where);
  read_laid_out(text, where, layout, [&](CsvRecord& record) { reader.add(record); });
  return reader.finish();
}

}  // namespace bitlaw
