#include "fit/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

struct Column {
  const char* name;  // ours, and what the file is searched for unless mapped
  const char* meaning;
  bool required;
};

constexpr Column kColumns[] = {
    {"N", "parameters without embeddings", true},
    {"D", "training tokens", true},
    {"loss", "loss in nats per token", true},
    {"N_total", "parameters with embeddings", false},
    {"P_w", "weight bits", false},
    {"P_a", "activation bits", false},
    {"P_kv", "key and value bits", false},
    {"P_post", "weight bits after training", false},
    {"delta", "loss difference of quantization after training", false},
    {"standard_error", "standard error of delta", false},
    {"method", "method of quantization after training", false},
    {"group", "weights that share a scale after training", false},
    {"run", "cluster", false},
    {"status", "finished, or diverged", false},
};

std::vector<std::string> known_columns() {
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.emplace_back(column.name);
  return names;
}

struct Row {
  int line;  // in the file, from 1
  std::vector<std::string> fields;
};

// RFC 4180: fields in double quotes may hold commas, line ends and doubled quotes. Empty lines are
// skipped.
std::vector<Row> parse_csv(const std::string& text, const std::string& where) {
  std::vector<Row> rows;
  Row row{1, {}};
  std::string field;
  bool quoted = false, was_quoted = false;
  int line = 1;
  const auto end_field = [&] {
    row.fields.push_back(was_quoted ? field : trim(field));
    field.clear();
    was_quoted = false;
  };
  const auto end_row = [&] {
    end_field();
    if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(row);
    row.fields.clear();
  };
  for (size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (row.fields.empty() && field.empty() && !quoted) row.line = line;
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"', ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && trim(field).empty() && !was_quoted) {
      field.clear();
      quoted = was_quoted = true;
    } else if (c == ',') {
      end_field();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field += c;
    }
  }
  if (quoted)
    throw Error(
        fmt::format("{}: a quoted field that begins in line {} never ends", where, row.line));
  if (!field.empty() || !row.fields.empty()) end_row();
  return rows;
}

// Reads one table: knows its header, and names row and column of everything wrong.
class Reader {
 public:
  Reader(const std::vector<std::string>& header, const std::string& where, const ColumnMap& columns)
      : where_(where) {
    std::set<std::string> seen;
    for (const std::string& name : header) {
      if (!seen.insert(name).second)
        throw Error(fmt::format("{}: column {} appears twice; rename one", where, name));
    }
    std::vector<std::string> missing;
    for (const Column& column : kColumns) {
      const auto mapped = columns.find(column.name);
      const std::string& name = names_[column.name] =
          mapped == columns.end() ? column.name : mapped->second;
      const auto found = std::find(header.begin(), header.end(), name);
      if (found != header.end()) {
        place_[column.name] = static_cast<size_t>(found - header.begin());
      } else if (column.required || mapped != columns.end()) {
        const std::string near = nearest_name(name, header);
        missing.push_back(fmt::format("{} ({}{})", name, column.meaning,
                                      near.empty() ? "" : fmt::format("; is it {}?", near)));
      }
    }
    if (!missing.empty()) {
      throw Error(fmt::format(
          "{}: no column {}; the file has {}; name yours with --columns N=...,D=...,loss=...",
          where, fmt::join(missing, ", "), fmt::join(header, ", ")));
    }
  }

  void start(const Row& row) { row_ = &row; }

  std::string text(const char* column) const {
    const auto found = place_.find(column);
    return found == place_.end() ? "" : row_->fields[found->second];
  }

  // NaN where the column is absent or the field empty.
  double number(const char* column) const {
    const std::string field = text(column);
    if (field.empty()) return kUnknown;
    double value = 0;
    const char* begin = field.data() + (field[0] == '+' ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size())
      fail(column, field, "is not a number");
    if (!std::isfinite(value)) fail(column, field, "is not finite");
    return value;
  }

  double positive(const char* column) const {
    const double value = number(column);
    if (std::isnan(value)) fail(column, "an empty field", "stands where a number must be");
    if (!(value > 0)) fail(column, text(column), "must be positive");
    return value;
  }

  // `otherwise` where empty; else at least 1.
  double bits(const char* column, double otherwise) const {
    const double value = number(column);
    if (std::isnan(value)) return otherwise;
    if (value == 0 && otherwise == 0) return 0;
    if (!(value >= 1 && value <= 64)) fail(column, text(column), "is not a number of bits");
    return value;
  }

  [[noreturn]] void fail(const char* column, const std::string& what, const char* problem) const {
    throw Error(fmt::format("{}: line {}, column {}: {} {}", where_, row_->line, names_.at(column),
                            what, problem));
  }

 private:
  std::string where_;
  std::map<std::string, std::string> names_;
  std::map<std::string, size_t> place_;
  const Row* row_ = nullptr;
};

Observation read_row(const Reader& reader) {
  Observation run;
  run.params = reader.positive("N");
  run.tokens = reader.positive("D");
  const double total = reader.number("N_total");
  run.params_total = std::isnan(total) ? 0 : reader.positive("N_total");
  run.bits_weights = reader.bits("P_w", kUnquantizedBits);
  run.bits_activations = reader.bits("P_a", kUnquantizedBits);
  run.bits_kv = reader.bits("P_kv", kUnquantizedBits);
  run.bits_post = reader.bits("P_post", 0);
  if (run.is_post_training()) {
    run.delta_nats = reader.number("delta");
    if (std::isnan(run.delta_nats)) {
      reader.fail("delta", "an empty field",
                  "in a row that is quantized after training; give the loss difference");
    }
    run.delta_standard_error = reader.number("standard_error");
    if (run.delta_standard_error < 0) {
      reader.fail("standard_error", reader.text("standard_error"), "must not be negative");
    }
    if (!reader.text("loss").empty()) run.loss_nats = reader.positive("loss");
    run.method = reader.text("method");
    const double group = reader.number("group");
    if (group > 0) run.method += fmt::format("-g{:g}", group);
  } else {
    run.loss_nats = reader.positive("loss");
  }
  run.cluster = reader.text("run");
  return run;
}

void add_notes(Table& table) {
  if (table.diverged > 0) {
    table.notes.push_back(
        fmt::format("{} rows are marked as diverged or failed and left out.", table.diverged));
  }
  if (table.unfinished > 0) {
    table.notes.push_back(
        fmt::format("{} rows have no loss yet and are left out.", table.unfinished));
  }
  bool large_loss = false, few_tokens = true, few_params = true;
  for (const Observation& run : table.runs) {
    large_loss |= run.loss_nats > 30;
    few_tokens &= run.tokens < 1e5;
    few_params &= run.params < 1e3;
  }
  if (large_loss)
    table.notes.push_back("Some losses exceed 30 nats per token: are they perplexities?");
  if (few_tokens)
    table.notes.push_back("Every D is below 100,000 tokens: are they in millions or billions?");
  if (few_params)
    table.notes.push_back("Every N is below 1,000 parameters: are they in millions or billions?");
}

}  // namespace

ColumnMap parse_columns(const std::string& text) {
  ColumnMap columns;
  const std::vector<std::string> known = known_columns();
  for (const std::string& item : split(text, ',')) {
    const size_t equals = item.find('=');
    const std::string name = trim(item.substr(0, equals));
    if (equals == std::string::npos || trim(item.substr(equals + 1)).empty()) {
      throw Error(fmt::format(
          "columns: {} is not NAME=COLUMN, as in N=params,D=tokens,loss=val_loss", item));
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string near = nearest_name(name, known);
      throw Error(fmt::format("columns: {} is not one of {}{}", name, fmt::join(known, ", "),
                              near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }
    columns[name] = trim(item.substr(equals + 1));
  }
  return columns;
}

Table read_table(const std::string& csv_text, const std::string& where, const ColumnMap& columns) {
  const std::vector<Row> rows = parse_csv(csv_text, where);
  if (rows.empty())
    throw Error(fmt::format("{}: is empty; expected a CSV table with a header line", where));
  const std::vector<std::string>& header = rows[0].fields;
  Reader reader(header, where, columns);
  Table table;
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].fields.size() != header.size()) {
      throw Error(fmt::format("{}: line {} has {} fields, the header has {}", where, rows[i].line,
                              rows[i].fields.size(), header.size()));
    }
    reader.start(rows[i]);
    const std::string status = reader.text("status");
    if (status == "diverged" || status == "failed") {
      ++table.diverged;
    } else if (!status.empty() && status != "finished" && reader.text("loss").empty()) {
      ++table.unfinished;
    } else {
      table.runs.push_back(read_row(reader));
    }
  }
  if (table.runs.empty()) {
    throw Error(fmt::format("{}: has a header but no row to fit{}", where,
                            table.diverged > 0 ? "; every run diverged" : ""));
  }
  add_notes(table);
  return table;
}

}  // namespace bitlaw
