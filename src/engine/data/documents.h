// A corpus as a sequence of documents: folders of .txt, and JSONL files with a "text" in every
// line, each of them plain, .gz or .zst. One document at a time, in an order that depends on the
// names alone.
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
  std::string source;  // where it came from, for messages: "news.jsonl.gz:17", "essay.txt#2"
  std::string text;    // valid UTF-8, line ends as \n, not blank
};

// What was read, and what was mended or left out.
struct ReadCounts {
  int64_t files = 0;          // files read
  int64_t other_files = 0;    // files in the folders that are neither text nor JSONL
  int64_t documents = 0;      // given to the caller
  int64_t blank = 0;          // documents with nothing but white space, left out
  int64_t bytes = 0;          // of the documents' text, UTF-8
  int64_t invalid_bytes = 0;  // bytes outside any valid UTF-8 sequence, each replaced by U+FFFD
};

using DocumentCallback = std::function<void(Document&&)>;

// A .txt file up to this size is one document; a larger one is cut at its blank lines into sections
// of at least kSectionBytes (at a line end, then anywhere, where a section would exceed
// kWholeTextBytes), so that one long book can be divided between training and validation.
inline constexpr size_t kWholeTextBytes = 128 << 10;
inline constexpr size_t kSectionBytes = 16 << 10;
inline constexpr size_t kLongestLineBytes = size_t{64} << 20;  // of a JSONL file

// The text files under `roots` (folders are searched to any depth, hidden files left alone; a file
// is taken as it is): roots in the given order, paths sorted bytewise within each. Throws Error for
// a root that does not exist, for a file named directly whose suffix is not one of .txt .jsonl (.gz
// .zst), and where no text file is found at all.
std::vector<std::filesystem::path> find_text_files(const std::vector<std::string>& roots,
                                                   int64_t* other_files = nullptr);

// Streams every document of `roots` to `callback`. Throws Error as find_text_files does, for a file
// that cannot be read or decompressed, and for a JSONL line that is not an object with a string
// "text" (naming file and line). Exceptions of the callback pass through.
ReadCounts read_documents(const std::vector<std::string>& roots, const DocumentCallback& callback);

// Letters and digits in lower case; every byte beyond ASCII counts as a letter. Documents that agree
// in these tell the same, and belong on one side of a split.
std::string letters_and_digits(const std::string& text);

// read_documents for one stream (also what the fuzz targets drive).
void read_text(ByteSource& source, const std::string& name, const DocumentCallback& callback,
               ReadCounts& counts);
void read_jsonl(ByteSource& source, const std::string& name, const DocumentCallback& callback,
                ReadCounts& counts);

}  // namespace bitlaw
