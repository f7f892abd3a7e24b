// The text files of a corpus: folders of .txt files and of JSON files with a text in every object,
// plain or compressed. Their order depends on file names alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/byte_source.h"

namespace bitlaw {

enum class TextKind {
  kNone,       // not a text file
  kText,       // .txt
  kJsonLines,  // .jsonl, .ndjson, .jsonlines: an object on every line, or a list of them
  kJson,       // .json: the same, or objects over several lines
};

TextKind text_kind_of(std::filesystem::path path);  // by the suffix below that of a compression

struct TextFile {
  std::filesystem::path path;
  std::string source;  // first folder on the way from its root to its file, or the file's name
  TextKind kind = TextKind::kNone;
};

struct TextFiles {
  std::vector<TextFile> files;
  std::map<std::string, int64_t> others;  // files that are left out, by suffix ("" without)
};

// The text files under `roots`, which are files or folders (searched to any depth without hidden
// files): roots in the given order, paths sorted bytewise within each. Links to folders are
// followed; every folder is read once, so links in a circle do no harm. A .json file inside a
// folder counts if its first object has a text under `key` (as read_documents takes it).
//
// Error for a root that does not exist or is no text file, naming what it is; for a link to nothing;
// and if there is no text file at all.
TextFiles search_text_files(const std::vector<std::string>& roots, const std::string& key = "text");

// How to turn files with that suffix (".parquet") into text, or "" for one that is not known.
std::string advice_on(const std::string& suffix);

// "12 other files were left out: 9 .png, 3 .md", or "" without.
std::string left_out_sentence(const std::map<std::string, int64_t>& others);

// The bytes of a text file in UTF-8: decompressed, and decoded from UTF-16 and UTF-32. Errors as in
// byte_source.h and text_encoding.h.
std::unique_ptr<ByteSource> open_text(const std::filesystem::path& path);

}  // namespace bitlaw
