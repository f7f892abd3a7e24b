// A corpus as a sequence of documents: folders of .txt files and of JSON files with a text in every
// object, plain, .gz or .zst, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark. Documents
// come one at a time, in an order that depends only on file names (data/text_files.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
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
  int64_t files = 0;                           // files read
  std::map<std::string, int64_t> other_files;  // left out as no text, by suffix
  int64_t documents = 0;                       // passed to the caller
  int64_t blank = 0;                           // documents of only white space, skipped
  int64_t bytes = 0;                           // of the documents' text, UTF-8
  int64_t invalid_bytes = 0;  // bytes outside any valid UTF-8 sequence, each replaced by U+FFFD
};

using DocumentCallback = std::function<void(Document&&)>;

// A .txt file up to this size is one document; a larger one is cut at its blank lines into sections
// of at least kSectionBytes (if a section would exceed kWholeTextBytes: at a line end, or else
// anywhere), so that one long book can be split between training and validation.
inline constexpr size_t kWholeTextBytes = 128 << 10;
inline constexpr size_t kSectionBytes = 16 << 10;
inline constexpr size_t kLongestLineBytes = size_t{64} << 20;  // of a JSONL file

// Streams every document of `roots` to `callback`; `key` names the text in JSON (json_documents.h).
// Error as in search_text_files and open_text, and for a JSON value without such a text (naming
// file and line). Exceptions of the callback pass through.
ReadCounts read_documents(const std::vector<std::string>& roots, const DocumentCallback& callback,
                          const std::string& key = "text");

// Letters and digits in lower case; every byte beyond ASCII counts as a letter. Documents that
// agree in these count as the same text, and belong on one side of a split.
std::string letters_and_digits(const std::string& text);

// read_documents for one stream (also used by the fuzz targets); without Document::source.
void read_text(ByteSource& source, const std::string& name, const DocumentCallback& callback,
               ReadCounts& counts);
// An object on every line.
void read_jsonl(ByteSource& source, const std::string& name, const DocumentCallback& callback,
                ReadCounts& counts, const std::string& key = "text");
// A list of objects or of texts, or objects one after the other over any lines.
void read_json(ByteSource& source, const std::string& name, const DocumentCallback& callback,
               ReadCounts& counts, const std::string& key = "text");

// Hands on one text, with line ends as \n, as a document, unless it is blank.
void emit_document(std::string_view text, std::string place, const DocumentCallback& callback,
                   ReadCounts& counts);

}  // namespace bitlaw
