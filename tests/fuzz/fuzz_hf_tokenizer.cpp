// tokenizer.json: any bytes give a tokenizer whose tokens are all in its vocabulary, or an Error.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "tokenizer/hf_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto tokenizer = parse_hf_tokenizer(bytes, "input");
    BITLAW_CHECK(tokenizer->vocabulary_size() >= 97);  // the usual bytes
    // Also text that is not UTF-8, and text in which the added tokens occur.
    for (const std::string& text :
         {std::string("It's 12 \xC3\xA9t\xC3\xA9s e\xCC\x81\xE2\x96\x81,\n\n  x\xFF<s>"),
          bytes.substr(bytes.size() - std::min<size_t>(bytes.size(), 300))}) {
      for (const int32_t token : tokenizer->encode(text)) tokenizer->token_bytes(token);
    }
  } catch (const Error&) {
  }
  return 0;
}
