// Pages of HTML and pod, and copyright files: any bytes give paragraphs of valid UTF-8, on one line
// and not blank.
#include <cstdint>

#include "base/error.h"
#include "corpus/licenses.h"
#include "corpus/paragraphs.h"
#include "tokenizer/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitlaw;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto paragraphs_of : {html_paragraphs, pod_paragraphs}) {
    for (const std::string& line : paragraphs_of(bytes)) {
      int64_t replaced = 0;
      valid_utf8(line, &replaced);
      BITLAW_CHECK(replaced == 0 && !line.empty() && line.find('\n') == std::string::npos);
      is_prose(line);
    }
  }
  for (const std::string& name : licenses_of(bytes)) BITLAW_CHECK(!name.empty());
  return 0;
}
