// A corpus as a sequence of documents: folders of .txt files and of JSONL files with a "text" in
// every line, plain, .gz or .zst. Documents come one at a time, in an order that depends only on
// file names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/byte_source.h"

namespace bitlaw {

struct Document {
  std::string place;   // origin, for messages: "news.jsonl.gz:17", "essay.txt#2"
  std::string text;    // valid UTF-8, line ends as \n, not blank
  std::string source;  // first folder on the way from its root to its file, or the file's name
};

// What was read, repaired or skipped.
struct ReadCounts {
  int64_t files = 0;          // files read
  int64_t other_files = 0;    // files in the folders that are neither text nor JSONL
  int64_t documents = 0;      // passed to the caller
  int64_t blank = 0;          // documents of only white space, skipped
  int64_t bytes = 0;          // of the documents' text, UTF-8
  int64_t invalid_bytes = 0;  // bytes outside any valid UTF-8 sequence, each replaced by U+FFFD
};

using DocumentCallback = std::function<void(Document&&)>;

// A .txt file up to this size is one document; a larger one is cut at its blank lines into sections
// of at least kSectionBytes (if a section would exceed kWholeTextBytes: at a line end, or else
// anywhere), so that one long book can be split between training and validation.
inline constexpr size_t kWholeTextBytes = 128 << 10;
inline constexpr size_t kSectionBytes = 16 << 10;
inline constexpr size_t kLongestLineBytes = size_t{64} << 20;  // of a JSONL file

// The text files under `roots`, which are files or folders (searched to any depth without hidden
// files): roots in the given order, paths sorted bytewise within each. Error for a root that does
// not exist, for a file whose suffix is not one of .txt .jsonl (.gz .zst), and if there is no text
// file at all.
std::vector<std::filesystem::path> find_text_files(const std::vector<std::string>& roots,
                                                   int64_t* other_files = nullptr);

// Streams every document of `roots` to `callback`. Error as in find_text_files, for a file that
// cannot be read or decompressed, and for a JSONL line that is not an object with a string "text"
// (naming file and line). Exceptions of the callback pass through.
ReadCounts read_documents(const std::vector<std::string>& roots, const DocumentCallback& callback);

// Letters and digits in lower case; every byte beyond ASCII counts as a letter. Documents that
// agree in these count as the same text, and belong on one side of a split.
std::string letters_and_digits(const std::string& text);

// read_documents for one stream (also used by the fuzz targets); without Document::source.
void read_text(ByteSource& source, const std::string& name, const DocumentCallback& callback,
               ReadCounts& counts);
void read_jsonl(ByteSource& source, const std::string& name, const DocumentCallback& callback,
                ReadCounts& counts);

}  // namespace bitlaw
