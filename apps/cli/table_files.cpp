#include "cli/table_files.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/home.h"
#include "base/input_file.h"
#include "base/names.h"
#include "cli/verb.h"
#include "data/byte_source.h"
#include "record/run.h"
#include "runs/ended_runs.h"
#include "runs/index.h"
#include "table/several_tables.h"
#include "table/tidy_table.h"

namespace bitlaw::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardInput = "-";

std::string read_text(const std::string& name) {
  const std::string bytes = read_input_file(name == kStandardInput ? "/dev/stdin" : name);
  if (bytes.empty()) return bytes;
  const auto source = decompress_by_content(view_bytes(bytes), Compression::kNone, name);
  std::string text;
  std::vector<char> buffer(kReadBytes);
  while (const size_t count = source->read(buffer)) text.append(buffer.data(), count);
  return text;
}

TableFiles read_file(const std::string& name, const std::string& format) {
  const std::string text = read_text(name);
  const std::string shown = name == kStandardInput ? "standard input" : name;
  return {read_raw_table(text, shown, format), hash_hex(text)};
}

// Of the files in a directory: .txt may be any text.
bool is_table_file(const fs::path& path) {
  fs::path plain = path;
  if (plain.extension() == ".gz" || plain.extension() == ".zst") plain.replace_extension();
  const std::string ending = plain.extension().string();
  constexpr const char* kEndings[] = {".csv", ".tsv", ".json", ".jsonl", ".ndjson"};
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

std::vector<std::string> table_files_in(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file() && is_table_file(entry.path()))
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool has_runs(const std::string& directory) {
  return std::any_of(fs::directory_iterator(directory), fs::directory_iterator(),
                     [](const fs::directory_entry& entry) { return is_run(entry.path()); });
}

// A directory of runs of ours, or of files that are tables; no index is written to the latter.
TableFiles read_directory(const std::string& path, const std::string& format) {
  if (!is_directory_of_runs(path)) return read_table_files(table_files_in(path), format);
  const RunIndex index(path, Along::kInclude);
  report_left_out(index.problems());
  const EndedRuns ended = ended_runs(path, index);
  return {tidy_table(ended.rows), ended.hash};
}

// The files that a pattern in quotes matches, in alphabetical order.
std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> names;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (names.empty()) throw Error(fmt::format("{}: no file matches", pattern));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> expanded(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& given : names) {
    const std::string name = expand_home(given);
    std::error_code none;
    const bool is_pattern =
        name.find_first_of("*?[") != std::string::npos && !fs::exists(name, none);
    if (!is_pattern) {
      out.push_back(name);
      continue;
    }
    for (std::string& match : matches_of(name)) out.push_back(std::move(match));
  }
  return out;
}

}  // namespace

TableFiles read_table_files(const std::vector<std::string>& names, const std::string& format) {
  const std::vector<std::string> files = expanded(names);
  if (std::count(files.begin(), files.end(), kStandardInput) > 1)
    throw Error("-: standard input can be read once");
  std::vector<NamedTable> tables;
  std::string hashes;
  for (const std::string& name : files) {
    std::error_code none;
    TableFiles one =
        fs::is_directory(name, none) ? read_directory(name, format) : read_file(name, format);
    hashes += one.hash;
    tables.push_back({name, std::move(one.raw)});
  }
  const bool several = tables.size() > 1;
  return {join_tables(std::move(tables)), several ? hash_hex(hashes) : hashes};
}

std::string name_of(const std::vector<std::string>& names) {
  if (names.size() == 1) return names[0] == kStandardInput ? "standard input" : names[0];
  if (names.size() > 4) return fmt::format("{} and {} more files", names[0], names.size() - 1);
  return fmt::format("{}", fmt::join(names, ", "));
}

void require_other_file(const char* option, const std::string& out,
                        const std::vector<std::string>& names) {
  if (out.empty()) return;
  for (const std::string& name : expanded(names)) require_other_file(option, out, name);
}

bool is_directory_of_runs(const std::string& path) {
  std::error_code none;
  return fs::is_directory(path, none) &&
         (has_runs(path) || is_run(path) || table_files_in(path).empty());
}

}  // namespace bitlaw::cli
