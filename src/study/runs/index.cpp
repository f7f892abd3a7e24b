#include "runs/index.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/text.h"
#include "runs/run_files.h"

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

  void bind_law(int place, const Json& value) {
    int code;
    if (value.is_null()) {
      code = sqlite3_bind_null(statement_, place);
    } else if (value.is_number_integer()) {
      code = sqlite3_bind_int64(statement_, place, value.get<int64_t>());
    } else if (value.is_number()) {
      code = sqlite3_bind_double(statement_, place, value.get<double>());
    } else {
      const std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
      code = sqlite3_bind_text(statement_, place, text.c_str(), -1, SQLITE_TRANSIENT);
    }
    if (code != SQLITE_OK) fail(database_);
  }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(database_);
    return code == SQLITE_ROW;
  }
  void reset() { sqlite3_reset(statement_); }
  Json value(int column) const {
    switch (sqlite3_column_type(statement_, column)) {
      case SQLITE_INTEGER:
        return sqlite3_column_int64(statement_, column);
      case SQLITE_FLOAT:
        return sqlite3_column_double(statement_, column);
      case SQLITE_TEXT:
        return reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
      default:
        return nullptr;
    }
  }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

struct Condition {
  std::string column, comparison;
  Json value;
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
  Condition condition{trim(text.substr(0, at)), text.substr(at, length), nullptr};
  if (condition.comparison == "==") condition.comparison = "=";
  if (condition.comparison == "!")
    throw Error(fmt::format("filter '{}': write != for 'not'", text));
  const std::string value = trim(text.substr(at + length));
  for (const TidyColumn& column : tidy_columns()) {
    if (condition.column != column.name) continue;
    if (std::string(column.type) == "TEXT") {
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

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\n\r") == std::string::npos) return field;
  std::string out = "\"";
  for (char c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

RunIndex::RunIndex(const fs::path& runs) {
  const std::vector<fs::path> directories = find_run_directories(runs);
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
  std::string create = "CREATE TABLE tidy (", insert = "INSERT INTO tidy VALUES (";
  const auto& columns = tidy_columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    create += fmt::format("{}\"{}\" {}", i ? ", " : "", columns[i].name, columns[i].type);
    insert += i ? ", ?" : "?";
  }
  execute(database_, create + ") STRICT");
  execute(database_, "BEGIN");
  {
    Statement statement(database_, insert + ")");
    for (const fs::path& directory : directories) {
      execute(database_, "SAVEPOINT run");
      try {
        for (const Json& row : tidy_rows(directory, problems_)) {
          for (size_t i = 0; i < columns.size(); ++i) {
            Json value = row[columns[i].name];
            if (value.is_number_float() && std::string(columns[i].type) == "INTEGER")
              value = value.get<int64_t>();
            statement.bind_law(static_cast<int>(i) + 1, value);
          }
          statement.step();
          statement.reset();
        }
      } catch (const std::exception& problem) {
        problems_.push_back(problem.what());
        statement.reset();
        execute(database_, "ROLLBACK TO run");
      }
      execute(database_, "RELEASE run");
    }
  }
  execute(database_, "COMMIT");
  if (on_disk) {
    fs::rename(fresh, file, error);
    if (error) fs::remove(fresh, error);
  }
}

RunIndex::~RunIndex() {
  sqlite3_close(database_);
}

Json RunIndex::select(const std::vector<std::string>& conditions) const {
  std::string sql = "SELECT ";
  const auto& columns = tidy_columns();
  for (size_t i = 0; i < columns.size(); ++i)
    sql += fmt::format("{}\"{}\"", i ? ", " : "", columns[i].name);
  sql += " FROM tidy";
  std::vector<Condition> parsed;
  for (const std::string& text : conditions) {
    parsed.push_back(parse_condition(text));
    sql +=
        fmt::format("{} \"{}\" {} ?", parsed.size() == 1 ? " WHERE" : " AND", parsed.back().column,
                    parsed.back().comparison == "!=" ? "IS NOT" : parsed.back().comparison);
  }
  Statement statement(database_, sql +
                                     " ORDER BY N, D, P_w, P_a, P_kv, run, method <> 'none', "
                                     "method, \"group\", P_post, format_post, "
                                     "calibration_seed");
  for (size_t i = 0; i < parsed.size(); ++i)
    statement.bind_law(static_cast<int>(i) + 1, parsed[i].value);
  Json rows = Json::array();
  while (statement.step()) {
    Json row = Json::object();
    for (size_t i = 0; i < columns.size(); ++i)
      row[columns[i].name] = statement.value(static_cast<int>(i));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string to_csv(const Json& rows) {
  std::string out;
  const auto& columns = tidy_columns();
  for (size_t i = 0; i < columns.size(); ++i)
    out += fmt::format("{}{}", i ? "," : "", columns[i].name);
  out += "\n";
  for (const Json& row : rows) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const Json& value = row.at(columns[i].name);
      if (i) out += ",";
      if (value.is_string())
        out += quoted(value.get<std::string>());
      else if (!value.is_null())
        out += dump_json(value);
    }
    out += "\n";
  }
  return out;
}

}  // namespace bitlaw
