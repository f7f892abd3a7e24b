// Questions of the page, of `bitlaw serve` and of other languages: any bytes get an answer, or a sentence
// that is one line. Fits, comparisons and designs are left out: their tables are fuzzed as tables, and their
// work is long.
#include <cstddef>
#include <cstdint>
#include <string>

#include "ask/ask.h"
#include "base/error.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const Json question = parse_json(text, "question");
    const auto verb = question.is_object() ? question.find("verb") : question.end();
    if (verb != question.end() && (*verb == "fit" || *verb == "compare" || *verb == "design"))
      return 0;
  } catch (const Error&) {
  }
  const Json answer = parse_json(ask_text(text), "the answer");
  if (answer.is_object() && answer.contains("error") && answer["error"].is_string()) {
    const std::string sentence = answer["error"].get<std::string>();
    BITLAW_CHECK(!sentence.empty());
  }
  return 0;
}
