#include "data/text_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/home.h"
#include "base/known_content.h"
#include "data/json_documents.h"
#include "data/text_encoding.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct SuffixRow {
  const char* suffix;
  TextKind kind;
};
constexpr SuffixRow kTextSuffixes[] = {
    {".txt", TextKind::kText},         {".jsonl", TextKind::kJsonLines},
    {".ndjson", TextKind::kJsonLines}, {".jsonlines", TextKind::kJsonLines},
    {".json", TextKind::kJson},
};

struct AdviceRow {
  const char* suffix;
  const char* advice;
};
constexpr AdviceRow kAdvice[] = {
    {".parquet",
     "is a Parquet table; convert it to JSON lines first, for example with python3: import pandas; "
     "pandas.read_parquet('a.parquet').to_json('a.jsonl', orient='records', lines=True)"},
    {".arrow",
     "is an Arrow table; convert it to JSON lines first, for example with python3: import "
     "datasets; datasets.Dataset.from_file('a.arrow').to_json('a.jsonl')"},
    {".feather", "is a Feather table; convert it to JSON lines first, for example with pandas"},
    {".csv", "is a table; convert it to JSON lines first, for example with pandas"},
    {".tsv", "is a table; convert it to JSON lines first, for example with pandas"},
    {".tar", "is an archive; unpack it, and give the folder"},
    {".tgz", "is an archive; unpack it, and give the folder"},
    {".zip", "is an archive; unpack it, and give the folder"},
    {".7z", "is an archive; unpack it, and give the folder"},
    {".xz", "is compressed with xz; decompress it with `xz -d`, or compress it with gzip or zstd"},
    {".bz2",
     "is compressed with bzip2; decompress it with `bunzip2`, or compress it with gzip or zstd"},
    {".lz4", "is compressed with lz4; decompress it with `lz4 -d`, or compress it with gzip"},
    {".pdf", "is a PDF document; extract its text to .txt, for example with `pdftotext`"},
    {".html", "is HTML; extract its text to .txt first"},
    {".htm", "is HTML; extract its text to .txt first"},
};

// ".jsonl" of "a.jsonl.gz" and of "A.JSONL".
std::string suffix_of(fs::path path) {
  if (compression_of(path) != Compression::kNone) path.replace_extension();
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

// One root that is a folder. Real folders first, so that a link to one of them adds nothing; then,
// in the order of their names, linked folders that were not read before.
class FolderSearch {
 public:
  explicit FolderSearch(const std::string& key, std::map<std::string, int64_t>& others)
      : key_(key), others_(others) {}

  std::vector<fs::path> search(const fs::path& root) {
    walk(root);
    while (!links_.empty()) {
      const fs::path link = *links_.begin();
      links_.erase(links_.begin());
      walk(link);
    }
    std::sort(found_.begin(), found_.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
    return std::move(found_);
  }
  // Why the first .json file that was left out holds no documents; empty without one.
  const std::string& first_refusal() const { return first_refusal_; }

 private:
  void walk(const fs::path& folder) {
    fs::path place = folder;  // that is being looked at: errors do not always name it
    try {
      if (!seen_.insert(fs::canonical(folder)).second) return;
      std::vector<fs::path> folders;
      for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        place = entry.path();
        if (is_hidden(place)) continue;
        if (entry.is_symlink() && !fs::exists(place)) {
          throw Error(fmt::format(
              "{}: is a link to {}, which does not exist; restore that, or remove the link",
              place.string(), fs::read_symlink(place).string()));
        }
        if (entry.is_directory()) {
          if (entry.is_symlink())
            links_.insert(place);
          else
            folders.push_back(place);
        } else if (entry.is_regular_file()) {
          take(place);
        }
      }
      for (const fs::path& inner : folders) walk(inner);
    } catch (const fs::filesystem_error& trouble) {
      throw Error(fmt::format("{}: cannot be searched: {}; make it readable, or leave it out",
                              place.string(), trouble.code().message()));
    }
  }

  void take(const fs::path& file) {
    const TextKind kind = text_kind_of(file);
    std::string refusal;
    if (kind == TextKind::kJson) {
      refusal = why_no_documents(*open_text(file), file.string(), key_);
      if (first_refusal_.empty()) first_refusal_ = refusal;
    }
    if (kind == TextKind::kNone || !refusal.empty())
      ++others_[suffix_of(file)];
    else
      found_.push_back(file);
  }

  const std::string& key_;
  std::map<std::string, int64_t>& others_;
  std::vector<fs::path> found_;
  std::set<fs::path> seen_;   // folders, canonical
  std::set<fs::path> links_;  // to folders, not yet followed
  std::string first_refusal_;
};

void refuse_file(const std::string& root) {
  const std::string advice = advice_on(suffix_of(root));
  throw Error(
      advice.empty()
          ? fmt::format("{}: not a readable kind of text; rename it to .txt, or to .jsonl with one "
                        "{{\"text\": ...}} per line (.gz and .zst may be added)",
                        root)
          : fmt::format("{}: {}", root, advice));
}

[[noreturn]] void nothing_found(const std::vector<std::string>& roots, const TextFiles& files,
                                const std::string& refusal) {
  if (!refusal.empty()) throw Error(refusal);
  std::string more;
  for (const auto& [suffix, count] : files.others) {
    const std::string advice = advice_on(suffix);
    if (!advice.empty()) more = fmt::format(" (a {} file {})", suffix, advice);
  }
  throw Error(fmt::format(
      "{}: contains no .txt or .jsonl file (also .json, .gz and .zst){}{}; give a folder that does",
      fmt::join(roots, ", "), files.others.empty() ? "" : ", only others", more));
}

}  // namespace

TextKind text_kind_of(fs::path path) {
  const std::string suffix = suffix_of(std::move(path));
  for (const SuffixRow& row : kTextSuffixes) {
    if (suffix == row.suffix) return row.kind;
  }
  return TextKind::kNone;
}

TextFiles search_text_files(const std::vector<std::string>& roots, const std::string& key) {
  if (roots.empty()) throw Error("no text given; give a folder of .txt or .jsonl files");
  TextFiles out;
  std::string refusal;
  for (const std::string& given : roots) {
    const std::string root = expand_home(given);
    std::error_code error;
    if (!fs::exists(root, error))
      throw Error(fmt::format("{}: does not exist; give a folder of .txt or .jsonl files", root));
    if (!fs::is_directory(root, error)) {
      const TextKind kind = text_kind_of(root);
      if (kind == TextKind::kNone) refuse_file(root);
      out.files.push_back({root, fs::path(root).filename().string(), kind});
      continue;
    }
    FolderSearch folder(key, out.others);
    for (fs::path& path : folder.search(root)) {
      std::string source = path.lexically_relative(root).begin()->string();
      const TextKind kind = text_kind_of(path);
      out.files.push_back({std::move(path), std::move(source), kind});
    }
    if (refusal.empty()) refusal = folder.first_refusal();
  }
  if (out.files.empty()) nothing_found(roots, out, refusal);
  return out;
}

std::string advice_on(const std::string& suffix) {
  for (const AdviceRow& row : kAdvice) {
    if (suffix == row.suffix) return row.advice;
  }
  return "";
}

std::string left_out_sentence(const std::map<std::string, int64_t>& others) {
  constexpr size_t kMostNamed = 6;
  int64_t total = 0;
  std::vector<std::pair<int64_t, std::string>> kinds;
  for (const auto& [suffix, count] : others) {
    total += count;
    kinds.emplace_back(-count, suffix.empty() ? "without a suffix" : suffix);
  }
  if (total == 0) return "";
  std::sort(kinds.begin(), kinds.end());
  std::vector<std::string> named;
  for (const auto& [count, suffix] : kinds) {
    if (named.size() == kMostNamed) {
      named.push_back("...");
      break;
    }
    named.push_back(fmt::format("{} {}", -count, suffix));
  }
  return fmt::format("{} other file{} left out of the text: {}", total,
                     total == 1 ? " was" : "s were", fmt::join(named, ", "));
}

std::unique_ptr<ByteSource> open_text(const fs::path& path) {
  const std::string where = path.string();
  constexpr size_t kLookBytes = 256;
  std::unique_ptr<ByteSource> source = open_file(path);
  // A git-lfs pointer is text as well. Pages of a web site may be the corpus.
  const std::string head = read_head(source, kLookBytes);
  const std::string known = known_content(head);
  const size_t first = head.find_first_not_of(" \t\r\n");
  const bool page = first != std::string::npos && head[first] == '<';
  if (!known.empty() && !page && compression_shown_by(head) == Compression::kNone)
    throw Error(fmt::format("{}: {}", where, known));
  return as_utf8(decompress_by_content(std::move(source), compression_of(path), where), where);
}

}  // namespace bitlaw
