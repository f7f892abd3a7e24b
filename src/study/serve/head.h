// The head of a request, checked before anything parses it: one request line and at most 100 headers,
// each a line with its CRLF and without control characters. What the live view has no use for is left
// out (ranges, compression, Expect), so that no code for it runs.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace bitlaw {

inline constexpr size_t kLongestHead = 16 << 10;  // bytes; cookies of other programs are in it
inline constexpr size_t kLongestLine = 8 << 10;
inline constexpr size_t kLongestTarget = 4 << 10;
inline constexpr size_t kMostHeaders = 100;
// Of a 405.
inline constexpr const char* kOnlyReads =
    "only GET and HEAD, and POST /api/ask for a question; the live view changes nothing";

struct Head {
  int status = 200;     // 400, 405, 411, 414, 431 or 505: refused, and
  std::string problem;  // why
  std::string bytes;    // otherwise
};

// `head` ends with its empty line.
Head checked_head(std::string_view head);

// The query of a target, "/x?a=1&b=%2F+": a name and all behind its first "=", decoded. What is not
// decoded right (%zz) stays as it is.
std::multimap<std::string, std::string> query_in(std::string_view target);

}  // namespace bitlaw
