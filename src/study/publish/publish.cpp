#include "publish/publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/text.h"
#include "publish/card.h"
#include "publish/parquet.h"
#include "publish/sha256.h"
#include "publish/tables.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

bool is_date(const std::string& text) {
  int year = 0, month = 0, day = 0, length = 0;
  if (text.size() != 10 ||
      std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3 || length != 10)
    return false;
  return std::chrono::year_month_day{std::chrono::year{year},
                                     std::chrono::month{static_cast<unsigned>(month)},
                                     std::chrono::day{static_cast<unsigned>(day)}}
      .ok();
}

bool is_spdx_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '+';
  });
}

bool is_one_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

bool is_author(const std::string& text) {
  const auto parts = split(text, ';');
  return !parts.empty() && parts.size() <= 2 && is_one_line(text) &&
         std::none_of(parts.begin(), parts.end(), [](auto& part) { return trim(part).empty(); });
}

void check_options(const PublishOptions& options) {
  if (options.to.empty()) throw Error("no folder given: --to is missing");
  if (!options.date.empty() && !is_date(options.date))
    throw Error(fmt::format("date {}: expected a day as YYYY-MM-DD", options.date));
  if (!is_spdx_name(options.license)) {
    throw Error(fmt::format("license {}: expected an SPDX name, such as CC-BY-4.0 or CC0-1.0",
                            options.license));
  }
  for (const auto& [name, text] :
       {std::pair("name", options.name), std::pair("title", options.title),
        std::pair("url", options.url), std::pair("version", options.version)}) {
    if (!is_one_line(text)) throw Error(fmt::format("{}: must be one line", name));
  }
  for (const std::string& author : options.authors) {
    if (!is_author(author)) {
      throw Error(
          fmt::format("authors: '{}': expected Family;Given or the name of a group, with commas "
                      "between authors",
                      author));
    }
  }
}

class Publication {
 public:
  explicit Publication(fs::path to) : to_(std::move(to)) { make_directories(to_); }

  // A file of the data, which the metadata list.
  void write(const std::string& name, const std::string& bytes, int64_t rows = -1) {
    write_file_atomically(to_ / name, bytes);
    add(name, bytes, rows);
  }
  // One that is there already.
  void add(const std::string& name, const std::string& bytes, int64_t rows) {
    files_.push_back({name, static_cast<int64_t>(bytes.size()), rows, sha256_hex(bytes)});
  }
  const std::vector<PublishedFile>& files() const { return files_; }

  void write_sums() {
    std::string sums;
    for (const PublishedFile& file : files_) sums += file.sha256 + "  " + file.name + "\n";
    write_file_atomically(to_ / "SHA256SUMS", sums);
  }

 private:
  fs::path to_;
  std::vector<PublishedFile> files_;
};

void write_tables(const std::vector<PublishedTable>& tables, const PublishOptions& options,
                  Publication& publication, Published& out) {
  for (const PublishedTable& table : tables) {
    const std::string csv = table.name + ".csv";
    const auto rows = static_cast<int64_t>(table.rows.size());
    publication.write(csv, tidy_to_csv(table.rows), rows);
    publication.write(table.name + ".runs.jsonl", table.records);
    if (table.started > 0) {
      out.notes.push_back(
          fmt::format("{}: {} runs have not ended and are left out", table.name, table.started));
    }
    const std::string parquet = table.name + ".parquet";
    std::error_code none;
    fs::remove(fs::path(options.to) / parquet, none);  // of the table as it was
    if (!options.parquet) continue;
    const std::string trouble =
        write_parquet(fs::path(options.to) / csv, fs::path(options.to) / parquet);
    if (trouble.empty())
      publication.add(parquet, read_file(fs::path(options.to) / parquet), rows);
    else
      out.notes.push_back(fmt::format("{} was not written: {}", parquet, trouble));
  }
}

void require_different_files(const std::vector<PublishedTable>& tables, bool text) {
  for (const PublishedTable& table : tables) {
    if (!text || table.name != "text") continue;
    throw Error(
        "a directory of runs is called text, and text.csv is the list of the packages of --text; "
        "rename the directory, or leave --text out");
  }
}

// The names that SHA256SUMS lists.
std::vector<std::string> listed_files(const fs::path& to) {
  std::error_code none;
  std::vector<std::string> names;
  if (!fs::exists(to / "SHA256SUMS", none)) return names;
  for (const std::string& line : split(read_file(to / "SHA256SUMS"), '\n')) {
    const size_t gap = line.find("  ");
    if (gap != line.npos) names.push_back(line.substr(gap + 2));
  }
  return names;
}

void note_files_of_before(const std::vector<std::string>& before, const fs::path& to,
                          Published& out) {
  for (const std::string& name : before) {
    std::error_code none;
    const bool now = std::any_of(out.files.begin(), out.files.end(),
                                 [&](const PublishedFile& file) { return file.name == name; });
    if (now || fs::path(name).has_parent_path() || !fs::exists(to / name, none)) continue;
    out.notes.push_back(fmt::format(
        "{}: an earlier publication wrote it, and this one does not list it; remove it, or publish "
        "it, too",
        (to / name).string()));
  }
}

}  // namespace

Published publish(const PublishOptions& options) {
  check_options(options);
  const std::vector<PublishedTable> tables = read_tables(options.runs, options.have);
  std::vector<CorpusPart> text =
      options.text.empty() ? std::vector<CorpusPart>{} : read_corpus_list(options.text);
  if (!options.text.empty() && text.empty()) {
    throw Error(fmt::format(
        "{}: its list names no packages, or another version of bitlaw made it; make the text again "
        "with `bitlaw data corpus`, or leave --text out",
        options.text));
  }
  require_different_files(tables, !text.empty());
  Published out;
  text = packages_of_data(text, options.text, tables, out.notes);
  const Card card = card_of(options, tables);
  const fs::path to = options.to;
  const fs::path readme_file = to / "README.md";
  std::error_code none;
  const std::string before = fs::exists(readme_file, none) ? read_file(readme_file) : "";
  if (!before.empty() && before.find(kGeneratedFrom) == std::string::npos) {
    throw Error(fmt::format(
        "{}: is not a data card that bitlaw wrote; add the line `{}` where that may begin, or "
        "choose another folder",
        readme_file.string(), kGeneratedFrom));
  }

  const std::vector<std::string> listed = listed_files(to);
  Publication publication(to);
  write_tables(tables, options, publication, out);
  if (!text.empty())
    publication.write("text.csv", text_csv(text), static_cast<int64_t>(text.size()));
  const std::vector<PublishedFile> data = publication.files();
  publication.write("README.md", readme(card, tables, data, text, before));
  publication.write("croissant.json", dump_json(croissant(card, tables, data), 2) + "\n");
  publication.write("CITATION.cff", citation(card));
  publication.write_sums();
  out.files = publication.files();
  note_files_of_before(listed, to, out);
  if (!options.title.empty() && !before.empty() &&
      before.substr(0, before.find(kGeneratedFrom)).find(options.title) == std::string::npos)
    out.notes.push_back("README.md keeps its heading, which is not --title");
  return out;
}

}  // namespace bitlaw
