// tokenizer.model: any bytes give a tokenizer whose tokens are all in its vocabulary, or an Error.
// One that a data set may have gives every text back. bitlaw's own reader of fields that the
// library does not expose takes any bytes, too.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "tokenizer/bpe.h"
#include "tokenizer/sentencepiece_proto.h"
#include "tokenizer/sentencepiece_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    parse_sentencepiece_proto(bytes, "input");
  } catch (const Error&) {
  }
  try {
    const auto tokenizer = parse_sentencepiece(bytes, "input");
    for (const int32_t token :
         tokenizer->encode("It's 12 \xC3\xA9t\xC3\xA9s \xE2\x96\x81\n\n  x\xFF"))
      tokenizer->token_bytes(token);
  } catch (const Error&) {
  }
  try {
    const auto tokenizer = load_bpe(bytes, "input");
    const std::string text = "It's 12 \xC3\xA9t\xC3\xA9s\n\n  x\xFF";
    BITLAW_CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  } catch (const Error&) {
  }
  return 0;
}
