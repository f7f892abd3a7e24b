// Requests to the live view: any bytes are refused, or become a head in which every line is a header and
// nothing is left that could be two requests, and end in an answer or in an Error.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "serve/access.h"
#include "serve/head.h"

namespace {

using namespace bitlaw;

const std::string kToken = "0123456789abcdef0123456789abcdef";

void check(const Head& head, std::string_view bytes) {
  if (head.status != 200) {
    BITLAW_CHECK(head.status >= 400 && !head.problem.empty() && head.bytes.empty());
    return;
  }
  BITLAW_CHECK(head.bytes.size() <= bytes.size() && head.bytes.ends_with("\r\n\r\n"));
  BITLAW_CHECK(head.bytes.find("\r\n\r\n") == head.bytes.size() - 4);
  BITLAW_CHECK(checked_head(head.bytes).bytes == head.bytes);
  for (const auto& [name, value] : query_in(head.bytes.substr(0, head.bytes.find("\r\n"))))
    BITLAW_CHECK(name.size() + value.size() < kLongestTarget);
}

// Whatever the headers say: without the token nobody is let in, and no answer has a line of theirs.
void check_access(const std::string& text) {
  const Access local(true, "", 7411), open(false, kToken, 7411);
  WebRequest request;
  request.path = request.host = request.authorization = request.cookie = request.origin = text;
  request.query = {{"token", text}};
  const std::optional<WebAnswer> answer = open.stop(request);
  const bool has_token = text.find(kToken) != std::string::npos;
  BITLAW_CHECK(answer || has_token);
  if (answer) {
    for (const auto& [name, value] : headers_of(*answer))
      BITLAW_CHECK(value.find_first_of("\r\n") == std::string::npos);
  }
  local.stop(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(checked_head(text), text);
  const size_t end = text.find("\r\n\r\n");
  if (end != std::string::npos) check(checked_head(text.substr(0, end + 4)), text);
  check_access(text);
  const size_t line = text.find("Cookie: ");
  if (line != std::string::npos)
    check_access(text.substr(line + 8, text.find('\r', line) - line - 8));
  return 0;
}
