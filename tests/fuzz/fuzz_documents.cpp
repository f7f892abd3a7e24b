// Text, JSONL and JSON, also in UTF-16 and UTF-32: any bytes give documents of valid UTF-8 that are not blank, or an Error. Every
// byte string is readable as text.
#include <cstdint>

#include "base/error.h"
#include "data/documents.h"
#include "data/text_encoding.h"
#include "tokenizer/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  enum Kind { kText, kJsonLines, kJson, kEncoded };
  for (const Kind kind : {kText, kJsonLines, kJson, kEncoded}) {
    ReadCounts counts;
    int64_t documents = 0, document_bytes = 0;
    try {
      const DocumentCallback take = [&](Document&& document) {
        int64_t replaced = 0;
        BITLAW_CHECK(valid_utf8(document.text, &replaced) == document.text && replaced == 0);
        BITLAW_CHECK(document.text.find_first_not_of(" \t\n\v\f\r") != std::string::npos);
        BITLAW_CHECK(document.text.find('\r') == std::string::npos);
        ++documents;
        document_bytes += static_cast<int64_t>(document.text.size());
      };
      const auto source = view_bytes(bytes);
      if (kind == kText) read_text(*source, "input", take, counts);
      if (kind == kJsonLines) read_jsonl(*source, "input", take, counts);
      if (kind == kJson) read_json(*source, "input", take, counts);
      if (kind == kEncoded) read_text(*as_utf8(view_bytes(bytes), "input"), "input", take, counts);
      BITLAW_CHECK(counts.documents == documents && counts.bytes == document_bytes);
    } catch (const Error&) {
      BITLAW_CHECK(kind != kText);  // every byte string is a text
    }
  }
  return 0;
}
