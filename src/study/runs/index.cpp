#include "runs/index.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/condition.h"
#include "base/error.h"
#include "record/beside_runs.h"
#include "record/old_names.h"
#include "runs/row_fields.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// ---- conditions ----

Condition condition_of(const std::string& text) {
  Condition condition("condition", text);
  condition.find(find_tidy_column, tidy_column_names());
  return condition;
}

// ---- SQLite ----

class Database {
 public:
  explicit Database(const fs::path& file) {
    if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) fail();
  }
  ~Database() { sqlite3_close(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  [[noreturn]] void fail() const { throw Error(sqlite3_errmsg(database_)); }
  sqlite3* handle() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

class Statement {
 public:
  Statement(Database& database, const std::string& sql) : database_(database) {
    if (sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK)
      database.fail();
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
  void run() {
    if (sqlite3_step(statement_) != SQLITE_DONE) database_.fail();
    sqlite3_reset(statement_);
  }

 private:
  void check(int code) {
    if (code != SQLITE_OK) database_.fail();
  }

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

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

void write_table(const std::vector<TidyRow>& rows, const fs::path& file) {
  std::string create, insert;
  for (const TidyColumn& column : tidy_columns()) {
    create += fmt::format("{}\"{}\" {}", create.empty() ? "" : ", ", column.name, type_of(column));
    insert += insert.empty() ? "?" : ", ?";
  }
  Database database(file);
  database.execute("PRAGMA synchronous = OFF");
  database.execute("CREATE TABLE tidy (" + create + ") STRICT");
  database.execute("BEGIN");
  Statement statement(database, "INSERT INTO tidy VALUES (" + insert + ")");
  for (const TidyRow& row : rows) {
    int place = 0;
    for_each_column(
        row, [&](const char*, const auto& field, const char*) { statement.bind(++place, field); });
    statement.run();
  }
  database.execute("COMMIT");
}

}  // namespace

RunIndex::RunIndex(const fs::path& runs, Along along)
    : rows_(read_tidy_rows(runs, problems_, along)) {
  const fs::path file = runs / kIndexFile;
  std::error_code error;
  if (rows_.empty() && !fs::exists(file, error)) return;
  // Written to a temporary file first, so that two concurrent commands do not interfere.
  const fs::path fresh = file.string() + fmt::format(".{:x}", reinterpret_cast<uintptr_t>(this));
  try {
    write_table(rows_, fresh);
    fs::rename(fresh, file, error);
  } catch (const Error&) {  // a directory that cannot be written, or a full disk
  }
  fs::remove(fresh, error);
}

std::vector<TidyRow> RunIndex::select(const std::vector<std::string>& conditions) const {
  std::vector<std::string> notes;
  return select(conditions, notes);
}

std::vector<TidyRow> RunIndex::select(const std::vector<std::string>& conditions,
                                      std::vector<std::string>& notes) const {
  std::vector<Condition> tests;
  for (const std::string& text : with_current_scales("condition", conditions, notes))
    tests.push_back(condition_of(text));
  std::vector<TidyRow> out;
  std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(out), [&](const TidyRow& row) {
    const std::vector<Field> fields = fields_of(row);
    return std::all_of(tests.begin(), tests.end(), [&](const Condition& test) {
      return test.holds(test.field_of([&](size_t column) { return fields[column]; }));
    });
  });
  return out;
}

bool ask_for_models_along(const std::vector<std::string>& conditions) {
  return std::any_of(conditions.begin(), conditions.end(), [](const std::string& text) {
    return Condition("condition", text).mentions("run_fraction");
  });
}

}  // namespace bitlaw
