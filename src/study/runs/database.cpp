#include "runs/database.h"

#include <memory>

#include "base/error.h"

namespace bitlaw {

Database::Database() {
  if (sqlite3_open(":memory:", &database_) != SQLITE_OK) fail();
}

Database::Database(const std::filesystem::path& file) {
  if (sqlite3_open_v2(file.c_str(), &database_, SQLITE_OPEN_READONLY, "unix-none") != SQLITE_OK) {
    const std::string why = sqlite3_errmsg(database_);
    sqlite3_close(database_);
    throw Error(why);
  }
}

Database::~Database() {
  sqlite3_close(database_);
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

int64_t Database::number(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail();
  const int code = sqlite3_step(statement);
  const int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail();
  return number;
}

std::string Database::bytes() {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> data(
      sqlite3_serialize(database_, "main", &size, 0), sqlite3_free);
  if (!data) throw Error("not enough memory");
  return {reinterpret_cast<const char*>(data.get()), static_cast<size_t>(size)};
}

void Database::fail() const {
  throw Error(sqlite3_errmsg(database_));
}

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  if (sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK)
    database.fail();
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::bind(int place, const std::string& value) {
  check(value.empty() ? sqlite3_bind_null(statement_, place)
                      : sqlite3_bind_text(statement_, place, value.data(),
                                          static_cast<int>(value.size()), SQLITE_STATIC));
}

void Statement::bind(int place, double value) {
  check(sqlite3_bind_double(statement_, place, value));
}

void Statement::bind(int place, const std::optional<int64_t>& value) {
  check(value ? sqlite3_bind_int64(statement_, place, *value)
              : sqlite3_bind_null(statement_, place));
}

void Statement::bind_bytes(int place, std::string_view value) {
  check(sqlite3_bind_blob64(statement_, place, value.data(), value.size(), SQLITE_STATIC));
}

void Statement::run() {
  if (sqlite3_step(statement_) != SQLITE_DONE) database_.fail();
  sqlite3_reset(statement_);
}

bool Statement::next() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail();
  return code == SQLITE_ROW;
}

std::string_view Statement::bytes(int column) {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<size_t>(size));
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_.fail();
}

}  // namespace bitlaw
