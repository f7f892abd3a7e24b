// Text and JSONL: any bytes give documents of valid UTF-8 that are not blank, or an Error. Every
// byte string is readable as text.
#include <cstdint>

#include "base/error.h"
#include "data/documents.h"
#include "tokenizer/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto read : {read_text, read_jsonl}) {
    ReadCounts counts;
    int64_t documents = 0, document_bytes = 0;
    try {
      const auto source = view_bytes(bytes);
      read(
          *source, "input",
          [&](Document&& document) {
            int64_t replaced = 0;
            BITLAW_CHECK(valid_utf8(document.text, &replaced) == document.text && replaced == 0);
            BITLAW_CHECK(document.text.find_first_not_of(" \t\n\v\f\r") != std::string::npos);
            BITLAW_CHECK(document.text.find('\r') == std::string::npos);
            ++documents;
            document_bytes += static_cast<int64_t>(document.text.size());
          },
          counts);
      BITLAW_CHECK(counts.documents == documents && counts.bytes == document_bytes);
    } catch (const Error&) {
      BITLAW_CHECK(read != read_text);  // every byte string is a text
    }
  }
  return 0;
}
