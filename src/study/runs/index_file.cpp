#include "runs/index_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "record/beside_runs.h"
#include "runs/database.h"
#include "runs/packed_rows.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// To be raised when rows of the same files become others, or the tables of the file. A change of the
// columns is noticed without.
constexpr int kIndexVersion = 1;
constexpr int32_t kApplication = 0x6269746c;  // "bitl": marks the file as ours

// ---- whose file it is ----

constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr size_t kApplicationAt = 68;  // in the header of 100 bytes, most significant byte first

std::string header_of(const fs::path& file) {
  std::string header(100, '\0');
  const Descriptor in(file, O_RDONLY | O_NONBLOCK);
  const ssize_t size = in.ok() ? ::read(in.get(), header.data(), header.size()) : 0;
  header.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return header;
}

int32_t application_of(const std::string& header) {
  uint32_t id = 0;
  for (size_t i = 0; i < 4; ++i)
    id = id << 8 | static_cast<unsigned char>(header[kApplicationAt + i]);
  return static_cast<int32_t>(id);
}

// Up to version 0.2 the file had the table of rows alone, and no mark.
bool is_of_an_earlier_version(const fs::path& file) {
  try {
    Database database(file);
    return database.number("SELECT count(*) FROM sqlite_master") == 1 &&
           database.number(
               "SELECT count(*) FROM pragma_table_info('tidy') WHERE name IN "
               "('run', 'status', 'N', 'N_total', 'D', 'P_w', 'method')") == 7;
  } catch (const Error&) {
    return false;
  }
}

// ---- columns ----

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

std::string column_list() {
  std::string columns;
  for (const TidyColumn& column : tidy_columns())
    columns +=
        fmt::format("{}\"{}\" {}", columns.empty() ? "" : ", ", column.name, type_of(column));
  return columns;
}

// What a reader of packed rows must agree on.
std::string layout() {
  return hash_hex(fmt::format("{} {}", column_list(),
                              std::endian::native == std::endian::little ? "little" : "big"));
}

std::string hash_of_run(const TableRun& run, std::string_view packed) {
  return hash_hex(fmt::format("{}\n{}\n{}", run.directory, run.state, packed));
}

// ---- the file ----

void insert_rows(Database& database, const std::string& table, const std::vector<TidyRow>& rows) {
  std::string places = "?";
  for (size_t i = 1; i < tidy_columns().size(); ++i) places += ", ?";
  database.execute(fmt::format("CREATE TABLE {} ({}) STRICT", table, column_list()));
  Statement insert(database, fmt::format("INSERT INTO {} VALUES ({})", table, places));
  for (const TidyRow& row : rows) {
    int place = 0;
    for_each_column(
        row, [&](const char*, const auto& field, const char*) { insert.bind(++place, field); });
    insert.run();
  }
}

void insert_runs(Database& database, const std::vector<TableRun>& runs) {
  database.execute("CREATE TABLE runs (directory TEXT, state TEXT, rows BLOB, hash TEXT) STRICT");
  Statement insert(database, "INSERT INTO runs VALUES (?, ?, ?, ?)");
  for (const TableRun& run : runs) {
    const std::string packed = pack_rows(run.read.rows), hash = hash_of_run(run, packed);
    insert.bind(1, run.directory);
    insert.bind(2, run.state);
    insert.bind_bytes(3, packed);
    insert.bind(4, hash);
    insert.run();
  }
}

std::string bytes_of(const RunTable& table) {
  std::vector<TidyRow> along = table.rows(Along::kInclude);
  std::erase_if(along, [](const TidyRow& row) { return !row.is_along(); });
  Database database;
  database.execute("PRAGMA page_size = 16384");
  database.execute(fmt::format("PRAGMA application_id = {}", kApplication));
  database.execute(fmt::format("PRAGMA user_version = {}", kIndexVersion));
  database.execute("BEGIN");
  insert_rows(database, "tidy", table.rows(Along::kLeaveOut));
  insert_rows(database, "along", along);
  insert_runs(database, table.runs());
  const std::string columns = layout();
  database.execute("CREATE TABLE layout (hash TEXT) STRICT");
  database.execute(fmt::format("INSERT INTO layout VALUES ('{}')", columns));
  database.execute("COMMIT");
  return database.bytes();
}

std::vector<TableRun> runs_in(Database& database) {
  if (database.number("PRAGMA user_version") != kIndexVersion ||
      database.number(fmt::format("SELECT count(*) FROM layout WHERE hash = '{}'", layout())) != 1)
    return {};
  std::vector<TableRun> runs;
  std::vector<std::string> packed, hashes;
  Statement all(database, "SELECT directory, state, rows, hash FROM runs");
  while (all.next()) {
    TableRun& run = runs.emplace_back();
    run.directory = all.bytes(0);
    run.state = all.bytes(1);
    packed.emplace_back(all.bytes(2));
    hashes.emplace_back(all.bytes(3));
  }
  std::atomic<bool> good = true;
  ThreadPool(hardware_threads()).parallel_for(std::ssize(runs), [&](int64_t index, int) {
    const auto i = static_cast<size_t>(index);
    std::optional<std::vector<TidyRow>> rows = unpack_rows(packed[i]);
    if (!rows || hash_of_run(runs[i], packed[i]) != hashes[i])
      good = false;
    else
      runs[i].read.rows = std::move(*rows);
  });
  return good ? std::move(runs) : std::vector<TableRun>();
}

// ---- what earlier versions left ----

// index.sqlite.7ffd2c0a1b40: being written by version 0.2, until an hour ago.
void remove_old_leftovers(const fs::path& runs) {
  const std::string prefix = std::string(kIndexFile) + ".7f";
  const auto an_hour_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs, none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !entry.is_regular_file(none)) continue;
    const size_t digits = name.find_first_not_of("0123456789abcdef", prefix.size());
    const std::string rest = digits == std::string::npos ? "" : name.substr(digits);
    if ((rest.empty() || rest == "-journal") && entry.last_write_time(none) < an_hour_ago)
      fs::remove(entry.path(), none);
  }
}

}  // namespace

bool IndexFile::is_older_than(std::chrono::seconds age) const {
  std::error_code none;
  return fs::last_write_time(file_, none) + age < fs::file_time_type::clock::now();
}

IndexFile::IndexFile(const fs::path& runs) : file_(runs / kIndexFile) {
  std::error_code none;
  const fs::file_status status = fs::symlink_status(file_, none);
  if (status.type() == fs::file_type::not_found) return;
  kind_ = Kind::kForeign;
  if (status.type() != fs::file_type::regular) return;
  const std::string header = header_of(file_);
  if (header.size() < 100 || !header.starts_with(kMagic)) return;
  if (application_of(header) == kApplication)
    kind_ = Kind::kOurs;
  else if (application_of(header) == 0 && is_of_an_earlier_version(file_))
    kind_ = Kind::kEarlier;
}

std::vector<TableRun> IndexFile::read() const {
  if (kind_ != Kind::kOurs) return {};
  try {
    Database database(file_);
    return runs_in(database);
  } catch (const Error&) {  // damaged: it is made again
    return {};
  }
}

std::string IndexFile::write(const RunTable& table) const {
  if (kind_ == Kind::kForeign)
    return fmt::format(
        "{}: is not an index of bitlaw and stays as it is; every run was read instead. Move it "
        "away, and the next answer is quick",
        file_.string());
  try {
    remove_old_leftovers(file_.parent_path());
    write_file_atomically(file_, bytes_of(table));
    return "";
  } catch (const Error& error) {
    return fmt::format("{}; the answer is complete, but every answer takes as long", error.what());
  }
}

}  // namespace bitlaw
