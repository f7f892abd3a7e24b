#include "publish/publish.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "publish/card.h"
#include "publish/parquet.h"
#include "publish/sha256.h"
#include "publish/tables.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

void check_options(const PublishOptions& options) {
  if (options.to.empty()) throw Error("no folder given; set `to`");
  const auto digits = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (options.date[i] < '0' || options.date[i] > '9') return false;
    }
    return true;
  };
  const bool is_date = options.date.size() == 10 && options.date[4] == '-' &&
                       options.date[7] == '-' && digits(0, 4) && digits(5, 7) && digits(8, 10);
  if (!options.date.empty() && !is_date)
    throw Error(fmt::format("date {}: expected YYYY-MM-DD", options.date));
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
    if (!options.parquet) continue;
    const std::string parquet = table.name + ".parquet";
    const std::string trouble =
        write_parquet(fs::path(options.to) / csv, fs::path(options.to) / parquet);
    if (trouble.empty())
      publication.add(parquet, read_file(fs::path(options.to) / parquet), rows);
    else
      out.notes.push_back(fmt::format("{} was not written: {}", parquet, trouble));
  }
}

}  // namespace

Published publish(const PublishOptions& options) {
  check_options(options);
  const std::vector<PublishedTable> tables = read_tables(options.runs);
  const std::vector<CorpusPart> text =
      options.text.empty() ? std::vector<CorpusPart>{} : read_corpus_list(options.text);
  if (!options.text.empty() && text.empty()) {
    throw Error(fmt::format(
        "{}: its list names no packages, or another version of bitlaw made it; make the text again "
        "with `bitlaw data corpus`, or leave --text out",
        options.text));
  }
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

  Published out;
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
  return out;
}

}  // namespace bitlaw
