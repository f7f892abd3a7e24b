// The index is believed only where it still holds, and touches nothing that is not its own.
#include "runs/index_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/test_folder.h"
#include "record/beside_runs.h"
#include "record/cell.h"
#include "record/record_for_tests.h"
#include "record/result.h"
#include "runs/index.h"
#include "runs/packed_rows.h"
#include "runs/run_table.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class IndexFileTest : public testing::Test {
 protected:
  fs::path index() const { return runs_ / kIndexFile; }
  void add_run(const std::string& name, int64_t tokens, double loss = 3.25) {
    write_run_record(runs_ / name, trained_run_record(tokens, "4"));
    write_result(runs_ / name, {.validation = Validation{loss, 0.01, kNoNumber, 100, 5},
                                .training = TrainingResult{.tokens = tokens, .seconds = 2.5}});
  }
  void add_cell(const std::string& run, int bits, double delta) {
    CellRecord cell;
    cell.key.method = "rtn";
    cell.key.bits = bits;
    cell.delta = delta;
    write_cell(cell_file(runs_ / run, cell.key), cell);
  }
  // Until every change is old enough to be told from the next.
  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }
  // The table as it is read without an index.
  std::vector<TidyRow> fresh() const {
    RunTable table;
    table.update(runs_, 1);
    return table.rows(Along::kLeaveOut);
  }
  size_t read_again() const {
    RunTable table(IndexFile(runs_).read());
    return table.update(runs_, 2).read;
  }
  void expect_fresh(const char* after) const {
    EXPECT_EQ(pack_rows(RunIndex(runs_).select({})), pack_rows(fresh())) << after;
  }
  // A change in place that leaves size and time of modification as they were.
  void change_in_place(const fs::path& file, const std::string& from, const std::string& to) {
    struct stat before {};
    ASSERT_EQ(::stat(file.c_str(), &before), 0);
    std::string text = read_file(file);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    std::fstream(file, std::ios::in | std::ios::out) << text;
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }

  TestFolder folder_;
  fs::path runs_ = folder_ / "runs";
};

TEST_F(IndexFileTest, OnlyWhatHasChangedIsReadAgain) {
  for (int i = 0; i < 5; ++i) add_run(std::string(1, static_cast<char>('a' + i)), 1000 + 256 * i);
  add_cell("b", 3, 0.1);
  EXPECT_EQ(read_again(), 5u) << "no index yet";
  settle();
  RunIndex{runs_};
  EXPECT_EQ(read_again(), 0u);
  add_cell("b", 4, 0.02);
  EXPECT_EQ(read_again(), 1u) << "a new cell";
  expect_fresh("a new cell");
  settle();
  RunIndex{runs_};
  fs::remove_all(runs_ / "c");
  expect_fresh("a run was removed");
  fs::rename(runs_ / "d", runs_ / "another name");
  expect_fresh("a run was renamed");
  fs::remove(cell_files(runs_ / "b")[0]);
  expect_fresh("a cell was removed");
  fs::remove(runs_ / "e" / "result.json");
  expect_fresh("a result was removed");
  write_file_atomically(runs_ / "tuning.json", R"({"runs": ["a"]})");
  expect_fresh("a run was marked");
  EXPECT_EQ(RunIndex(runs_).select({"tuning=1"}).size(), 1u);
}

TEST_F(IndexFileTest, AChangeThatKeepsSizeAndTimeIsNoticed) {
  add_run("a", 1000);
  add_cell("a", 4, 0.125);
  settle();
  RunIndex{runs_};
  EXPECT_EQ(read_again(), 0u);
  change_in_place(cell_files(runs_ / "a")[0], "0.125", "0.126");
  EXPECT_EQ(RunIndex(runs_).problems().size(), 1u) << "its checksum is another's";
  change_in_place(cell_files(runs_ / "a")[0], "0.126", "0.125");
  EXPECT_TRUE(RunIndex(runs_).problems().empty());
  change_in_place(runs_ / "a/result.json", "3.25", "3.26");
  EXPECT_EQ(RunIndex(runs_).problems().size(), 1u);
  EXPECT_TRUE(RunIndex(runs_).select({}).empty());
}

// Two changes within one step of the clock look alike, so what is that young is read again.
TEST_F(IndexFileTest, WhatHasJustChangedIsReadAgain) {
  add_run("a", 1000);
  for (int i = 0; i < 20; ++i) {
    RunIndex{runs_};
    change_in_place(runs_ / "a/result.json", i % 2 == 0 ? "3.25" : "3.26",
                    i % 2 == 0 ? "3.26" : "3.25");
    EXPECT_EQ(RunIndex(runs_).problems().size(), i % 2 == 0 ? 1u : 0u) << i;
  }
}

TEST_F(IndexFileTest, WhatIsDamagedIsNamedEveryTime) {
  add_run("a", 1000);
  add_run("b", 2000);
  write_file_atomically(runs_ / "b/result.json", "{");
  settle();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(RunIndex(runs_).problems().size(), 1u);
  fs::remove(runs_ / "b/result.json");
  fs::create_directory(runs_ / "b/result.json");
  EXPECT_EQ(RunIndex(runs_).problems().size(), 1u) << "a directory in place of a file";
  write_file_atomically(runs_ / "a/ptq", "a file in place of a directory");
  EXPECT_EQ(RunIndex(runs_).problems().size(), 2u);
  fs::create_symlink("c", runs_ / "c");
  EXPECT_EQ(RunIndex(runs_).problems().size(), 3u) << "a link to itself cannot be looked into";
}

TEST_F(IndexFileTest, AForeignFileStaysAsItIs) {
  add_run("a", 1000);
  const auto stays = [&](const std::string& content) {
    const RunIndex answer(runs_);
    EXPECT_EQ(answer.select({}).size(), 1u);
    EXPECT_NE(answer.note().find("index.sqlite: is not an index of bitlaw"), std::string::npos);
    EXPECT_EQ(read_file(index()), content);
    fs::remove(index());
  };
  for (const std::string text : {"", "not a database", "SQLite format 3"}) {
    write_file_atomically(index(), text);
    stays(text);
  }
  for (const char* sql : {"CREATE TABLE mine (x)", "CREATE TABLE tidy (x)",
                          "CREATE TABLE tidy (run, status, N, N_total, D, P_w, method);"
                          "CREATE TABLE mine (x)",
                          "PRAGMA application_id = 7; CREATE TABLE tidy (run, status, N, N_total, "
                          "D, P_w, method)"}) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(index().c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
    stays(read_file(index()));
  }
  write_file_atomically(folder_ / "elsewhere", "x");
  fs::create_symlink(folder_ / "elsewhere", index());
  stays("x");
  EXPECT_EQ(read_file(folder_ / "elsewhere"), "x");
}

TEST_F(IndexFileTest, OneOfAnEarlierVersionIsReplaced) {
  add_run("a", 1000);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(index().c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE tidy (run, status, N, N_total, D, P_w, method, x)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  settle();
  EXPECT_EQ(RunIndex(runs_).note(), "");
  EXPECT_EQ(read_again(), 0u);
}

// Any byte of it may be another: it is made again, or what it says still holds.
TEST_F(IndexFileTest, DamageGoesUnnoticed) {
  add_run("a", 1000);
  add_run("b", 2000);
  settle();
  const std::string answer = pack_rows(RunIndex(runs_).select({}));
  const std::string whole = read_file(index());
  const size_t step = whole.size() / 100 + 1;
  for (size_t at = 100; at < whole.size(); at += step) {  // before that: of another kind
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    write_file_atomically(index(), damaged);
    const RunIndex index(runs_);
    EXPECT_EQ(pack_rows(index.select({})), answer) << at;
    EXPECT_EQ(index.note(), "");
  }
  for (size_t size : {size_t{200}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(index(), whole.substr(0, size));
    EXPECT_EQ(pack_rows(RunIndex(runs_).select({})), answer) << size;
  }
}

TEST_F(IndexFileTest, OtherProgramsReadATableOfTheRows) {
  add_run("a", 1000);
  add_cell("a", 4, 0.125);
  RunIndex{runs_};
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(index().c_str(), &database), SQLITE_OK);
  std::string text;
  const auto each = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string(values[0]) + " " + values[1] + "\n";
    return 0;
  };
  ASSERT_EQ(sqlite3_exec(database, "SELECT method, coalesce(delta, loss) FROM tidy", each, &text,
                         nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(text, "none 3.25\nrtn 0.125\n");
}

TEST_F(IndexFileTest, AFullDiskCostsTheIndexAlone) {
  add_run("a", 1000);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const RunIndex answer(runs_);
    ::_exit(answer.select({}).size() == 1 && !answer.note().empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_))
    EXPECT_EQ(entry.path().filename(), "a") << "nothing is left behind";
}

TEST_F(IndexFileTest, WhatEarlierVersionsLeftGoes) {
  add_run("a", 1000);
  for (const char* name : {"index.sqlite.7ffd2c0a1b40", "index.sqlite.7ffd2c0a1b40-journal",
                           "index.sqlite.7ff-mine", "index.sqlite.bak"}) {
    write_file_atomically(runs_ / name, "x");
    fs::last_write_time(runs_ / name, fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
  write_file_atomically(runs_ / "index.sqlite.7fffffffffff", "being written");
  RunIndex{runs_};
  EXPECT_FALSE(fs::exists(runs_ / "index.sqlite.7ffd2c0a1b40"));
  EXPECT_FALSE(fs::exists(runs_ / "index.sqlite.7ffd2c0a1b40-journal"));
  EXPECT_TRUE(fs::exists(runs_ / "index.sqlite.7ff-mine"));
  EXPECT_TRUE(fs::exists(runs_ / "index.sqlite.bak"));
  EXPECT_TRUE(fs::exists(runs_ / "index.sqlite.7fffffffffff"));
}

// Every answer is that of some moment between its beginning and its end; the files are whole.
TEST_F(IndexFileTest, ManyProcessesAtOnce) {
  constexpr int kProcesses = 4, kRuns = 12;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    size_t last = 0;
    while (last < kRuns) {
      std::error_code none;
      if (!fs::is_directory(runs_, none)) continue;
      const RunIndex answer(runs_);
      const size_t rows = answer.select({}).size();
      if (rows < last || !answer.problems().empty() || !answer.note().empty()) ::_exit(1);
      last = rows;
    }
    ::_exit(0);
  }
  for (int i = 0; i < kRuns; ++i) {
    add_run("r" + std::to_string(i), 1000 + 256 * i);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  expect_fresh("all have ended");
}

TEST(PackedRows, KeepEveryBit) {
  TidyRow row;
  row.run = "a";
  row.delta = -0.0;
  row.loss = 0.1 + 0.2;
  row.seed = -1;
  TidyRow cell = row;
  cell.method = "rtn";
  cell.seed.reset();
  cell.loss = kNoNumber;
  const std::string bytes = pack_rows({row, cell, row});
  const auto rows = unpack_rows(bytes);
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ(tidy_to_csv(*rows), tidy_to_csv({row, cell, row}));
  EXPECT_TRUE(std::signbit((*rows)[2].delta));
  EXPECT_EQ(pack_rows(*rows), bytes);
  for (size_t size = 1; size < bytes.size(); ++size) {
    const auto part = unpack_rows(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(!part || part->size() < 3) << size;
  }
}

}  // namespace
}  // namespace bitlaw
