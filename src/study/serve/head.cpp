#include "serve/head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace bitlaw {
namespace {

Head refused(int status, std::string problem) {
  return {.status = status, .problem = std::move(problem)};
}

bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 127);
  });
}

// RFC 9110, 5.6.2
bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string lower_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(16 * high + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Head checked_head(std::string_view head) {
  constexpr std::string_view kLineEnd = "\r\n";
  constexpr std::array<std::string_view, 4> kLeftOut{"range", "if-range", "accept-encoding",
                                                     "expect"};
  if (head.size() > kLongestHead) return refused(431, "the head of the request is too long");
  if (!head.ends_with("\r\n\r\n")) return refused(400, "the head of the request does not end");
  head.remove_suffix(2);
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    const size_t end = head.find(kLineEnd);
    if (end == std::string_view::npos) return refused(400, "a line of the head does not end");
    lines.push_back(head.substr(0, end));
    head.remove_prefix(end + kLineEnd.size());
    if (lines.back().size() > kLongestLine || lines.size() > kMostHeaders + 1)
      return refused(431, "the head of the request is too long");
    if (!is_text(lines.back())) return refused(400, "the head has control characters");
  }
  const std::string_view line = lines[0];
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.find(' ', first + 1) != last)
    return refused(400, "expected a method, a path and a version");
  const std::string_view method = line.substr(0, first), version = line.substr(last + 1),
                         target = line.substr(first + 1, last - first - 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refused(505, "only HTTP/1.1 is spoken here");
  if (method != "GET" && method != "HEAD" && method != "POST") return refused(405, kOnlyReads);
  if (target.size() > kLongestTarget) return refused(414, "the address is too long");
  if (!target.starts_with('/')) return refused(400, "expected a path that begins with /");
  Head out{.bytes = std::string(line) + "\r\n"};
  int hosts = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos || !is_name(lines[i].substr(0, colon)))
      return refused(400, "a header has no name");
    const std::string name = lower_name(lines[i].substr(0, colon));
    if (name == "transfer-encoding") return refused(411, "send a body with its Content-Length");
    hosts += name == "host";
    if (std::find(kLeftOut.begin(), kLeftOut.end(), name) != kLeftOut.end()) continue;
    out.bytes += std::string(lines[i]) + "\r\n";
  }
  if (hosts != 1) return refused(400, "expected one Host header");
  out.bytes += "\r\n";
  return out;
}

std::multimap<std::string, std::string> query_in(std::string_view target) {
  std::multimap<std::string, std::string> query;
  target = target.substr(0, target.find('#'));
  const size_t start = target.find('?');
  if (start == std::string_view::npos) return query;
  target.remove_prefix(start + 1);
  while (!target.empty()) {
    const size_t end = std::min(target.find('&'), target.size());
    const std::string_view each = target.substr(0, end);
    target.remove_prefix(std::min(end + 1, target.size()));
    const size_t sign = std::min(each.find('='), each.size());
    if (each.empty()) continue;
    query.emplace(decoded(each.substr(0, sign)),
                  decoded(each.substr(std::min(sign + 1, each.size()))));
  }
  return query;
}

}  // namespace bitlaw
