// An SQLite database: one in memory that becomes the bytes of a file, or a file that is only read.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bitlaw {

class Database {
 public:
  Database();
  // Read without locks: the file must never be changed in place.
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql);
  int64_t number(const std::string& sql);  // the first value of the answer; 0 if there is none
  std::string bytes();

  [[noreturn]] void fail() const;
  sqlite3* handle() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters count from 1; what does not apply is NULL. The text must outlive the next run().
  void bind(int place, const std::string& value);
  void bind(int place, double value);
  void bind(int place, const std::optional<int64_t>& value);
  void bind_bytes(int place, std::string_view value);
  void run();

  // The next row of the answer; false after the last.
  bool next();
  std::string_view bytes(int column);  // until the next row

 private:
  void check(int code);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace bitlaw
