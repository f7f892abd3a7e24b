#include "runs/index.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>
#include <variant>

#include "base/error.h"
#include "base/text.h"
#include "runs/tidy_rows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(sqlite3* database) {
  throw Error(fmt::format("index of runs: {}; delete index.sqlite and try again",
                          sqlite3_errmsg(database)));
}

void execute(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(database);
}

class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql) : database_(database) {
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK)
      fail(database);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters count from 1; what does not apply is NULL.
  void bind(int place, const std::string& value) {
    check(value.empty()
              ? sqlite3_bind_null(statement_, place)
              : sqlite3_bind_text(statement_, place, value.c_str(), -1, SQLITE_TRANSIENT));
  }
  void bind(int place, double value) { check(sqlite3_bind_double(statement_, place, value)); }
  void bind(int place, const std::optional<int64_t>& value) {
    check(value ? sqlite3_bind_int64(statement_, place, *value)
                : sqlite3_bind_null(statement_, place));
  }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(database_);
    return code == SQLITE_ROW;
  }
  void reset() { sqlite3_reset(statement_); }

  // Columns count from 0.
  void read(int column, std::string& value) const {
    if (!is_null(column))
      value = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  }
  void read(int column, double& value) const {
    if (!is_null(column)) value = sqlite3_column_double(statement_, column);
  }
  void read(int column, std::optional<int64_t>& value) const {
    if (!is_null(column)) value = sqlite3_column_int64(statement_, column);
  }

 private:
  void check(int code) {
    if (code != SQLITE_OK) fail(database_);
  }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

struct Condition {
  std::string column, comparison;
  std::variant<std::string, double> value;
};

Condition parse_condition(const std::string& text) {
  const size_t at = text.find_first_of("=<>!");
  std::vector<std::string> names;
  for (const TidyColumn& column : tidy_columns()) names.push_back(column.name);
  if (at == std::string::npos || at == 0) {
    throw Error(fmt::format(
        "filter '{}': expected COLUMN=VALUE (or !=, <, <=, >, >=), for example P_w=4", text));
  }
  const size_t length = at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  Condition condition{trim(text.substr(0, at)), text.substr(at, length), {}};
  if (condition.comparison == "==") condition.comparison = "=";
  if (condition.comparison == "!")
    throw Error(fmt::format("filter '{}': write != for 'not'", text));
  const std::string value = trim(text.substr(at + length));
  for (const TidyColumn& column : tidy_columns()) {
    if (condition.column != column.name) continue;
    if (column.type == TidyColumn::kText) {
      condition.value = value;
      return condition;
    }
    size_t used = 0;
    try {
      condition.value = std::stod(value, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != value.size()) {
      throw Error(fmt::format("filter '{}': '{}' is not a number", text, value));
    }
    return condition;
  }
  const std::string near = nearest_name(condition.column, names);
  throw Error(fmt::format(
      "filter '{}': unknown column '{}'{}", text, condition.column,
      near.empty() ? "; `bitlaw runs --columns` lists them" : "; did you mean '" + near + "'?"));
}

const char* type_of(const TidyColumn& column) {
  switch (column.type) {
    case TidyColumn::kText:
      return "TEXT";
    case TidyColumn::kWhole:
      return "INTEGER";
    case TidyColumn::kReal:
      return "REAL";
  }
  return "";
}

// The names of the columns with commas between them.
std::string column_list() {
  std::string list;
  for (const TidyColumn& column : tidy_columns())
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", column.name);
  return list;
}

void create_table(sqlite3* database, const std::vector<TidyRow>& rows) {
  std::string create, insert;
  for (const TidyColumn& column : tidy_columns()) {
    create += fmt::format("{}\"{}\" {}", create.empty() ? "" : ", ", column.name, type_of(column));
    insert += insert.empty() ? "?" : ", ?";
  }
  execute(database, "CREATE TABLE tidy (" + create + ") STRICT");
  execute(database, "BEGIN");
  Statement statement(database, "INSERT INTO tidy VALUES (" + insert + ")");
  for (const TidyRow& row : rows) {
    int place = 0;
    for_each_column(
        row, [&](const char*, const auto& field, const char*) { statement.bind(++place, field); });
    statement.step();
    statement.reset();
  }
  execute(database, "COMMIT");
}

}  // namespace

RunIndex::RunIndex(const fs::path& runs) {
  const std::vector<TidyRow> rows = read_tidy_rows(runs, problems_);
  const fs::path file = runs / "index.sqlite";
  // Written beside its place first: two commands at once each build their own.
  const fs::path fresh = file.string() + fmt::format(".{:x}", reinterpret_cast<uintptr_t>(this));
  std::error_code error;
  bool on_disk = sqlite3_open(fresh.c_str(), &database_) == SQLITE_OK &&
                 sqlite3_exec(database_, "CREATE TABLE probe (x); DROP TABLE probe", nullptr,
                              nullptr, nullptr) == SQLITE_OK;
  if (!on_disk) {
    sqlite3_close(database_);
    fs::remove(fresh, error);
    if (sqlite3_open(":memory:", &database_) != SQLITE_OK) fail(database_);
  }
  execute(database_, "PRAGMA synchronous = OFF");
  create_table(database_, rows);
  if (on_disk) {
    fs::rename(fresh, file, error);
    if (error) fs::remove(fresh, error);
  }
}

RunIndex::~RunIndex() {
  sqlite3_close(database_);
}

std::vector<TidyRow> RunIndex::select(const std::vector<std::string>& conditions) const {
  std::string sql = "SELECT " + column_list() + " FROM tidy";
  std::vector<Condition> parsed;
  for (const std::string& text : conditions) {
    parsed.push_back(parse_condition(text));
    sql +=
        fmt::format("{} \"{}\" {} ?", parsed.size() == 1 ? " WHERE" : " AND", parsed.back().column,
                    parsed.back().comparison == "!=" ? "IS NOT" : parsed.back().comparison);
  }
  Statement statement(database_, sql + " ORDER BY rowid");
  for (size_t i = 0; i < parsed.size(); ++i) {
    std::visit([&](const auto& value) { statement.bind(static_cast<int>(i) + 1, value); },
               parsed[i].value);
  }
  std::vector<TidyRow> rows;
  while (statement.step()) {
    TidyRow& row = rows.emplace_back();
    int column = 0;
    const auto read = [&](const char*, auto& field, const char*) {
      statement.read(column++, field);
    };
    row.visit(read);
  }
  return rows;
}

}  // namespace bitlaw
