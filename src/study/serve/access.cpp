#include "serve/access.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "base/number.h"
#include "base/text.h"
#include "serve/head.h"

namespace bitlaw {
namespace {

constexpr const char* kAsk = "/api/ask";

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
         c == '~';
}

bool is_ipv4_loopback(std::string_view address) {
  const std::vector<std::string> parts = split(address, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           const auto number = parse_whole(part);
           return number && *number >= 0 && *number <= 255 && part.size() <= 3;
         });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// The value of a cookie; "" without it.
std::string_view cookie_in(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view each = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (!each.empty() && each.front() == ' ') each.remove_prefix(1);
    if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=')
      return each.substr(name.size() + 1);
  }
  return {};
}

bool is_own_origin(const WebRequest& request) {
  return request.origin.empty() || request.origin == "http://" + request.host ||
         request.origin == "https://" + request.host;
}

}  // namespace

std::string make_token() {
  std::array<unsigned char, 20> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes))
    throw Error("this machine gives no random numbers for a token; give one with --token-file");
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

void require_token(const std::string& token, const std::string& where) {
  constexpr size_t kLongest = 512;
  if (token.size() < kShortestToken || token.size() > kLongest)
    throw Error(fmt::format("{}: the token has {} characters, expected {} to {}", where,
                            token.size(), kShortestToken, kLongest));
  if (!std::all_of(token.begin(), token.end(), is_token_character))
    throw Error(
        fmt::format("{}: expected a token of letters, digits, '-', '_', '.' and '~' alone", where));
}

std::string read_token(const std::string& file) {
  const std::string text = read_input_file(file);
  std::string token = trim(text.substr(0, text.find('\n')));
  require_token(token, file);
  return token;
}

bool same_secret(std::string_view given, std::string_view secret) {
  if (given.size() != secret.size()) return false;
  volatile unsigned char differs = 0;
  for (size_t i = 0; i < secret.size(); ++i)
    differs = static_cast<unsigned char>(differs | (given[i] ^ secret[i]));
  return differs == 0;
}

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || is_ipv4_loopback(address);
}

bool is_loopback_host(std::string_view host) {
  std::string_view name = host, port;
  if (host.starts_with("[")) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    name = host.substr(1, end - 1);
    port = host.substr(end + 1);
  } else if (const size_t colon = host.find(':'); colon != std::string_view::npos) {
    name = host.substr(0, colon);
    port = host.substr(colon);
  }
  if (!port.empty()) {
    if (port.front() != ':' || port.size() > 6) return false;
    port.remove_prefix(1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  }
  return is_loopback(lower(name));
}

std::string address_text(const std::string& address, int port) {
  return address.find(':') == std::string::npos ? fmt::format("http://{}:{}", address, port)
                                                : fmt::format("http://[{}]:{}", address, port);
}

Access::Access(bool loopback, std::string token, int port)
    : loopback_(loopback), token_(std::move(token)), port_(port) {
  BITLAW_CHECK(loopback_ || token_.size() >= kShortestToken);
}

// Cookies are of a host, whatever the port: two servers must not overwrite each other's.
std::string Access::cookie_name() const {
  return fmt::format("bitlaw_{}", port_);
}

bool Access::has_token(const WebRequest& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (token_.empty()) return true;
  const std::string_view header = request.authorization;
  if (header.starts_with(kBearer) && same_secret(header.substr(kBearer.size()), token_))
    return true;
  return same_secret(cookie_in(request.cookie, cookie_name()), token_);
}

std::optional<WebAnswer> Access::stop(const WebRequest& request) const {
  const bool asks = request.path == kAsk;
  if (asks ? request.method != "POST" : request.method != "GET" && request.method != "HEAD") {
    WebAnswer answer =
        refusal(request, 405, asks ? "questions are sent with POST /api/ask" : kOnlyReads);
    answer.allow = asks ? "POST" : "GET, HEAD";
    return answer;
  }
  if (loopback_ && !is_loopback_host(request.host)) {
    return refusal(request, 421,
                   "this is the live view of this machine alone; open it as localhost, or start it "
                   "with --listen");
  }
  if (!has_token(request)) {
    const auto given = request.query.find("token");
    if (request.path == "/" && given != request.query.end() && same_secret(given->second, token_)) {
      WebAnswer answer{.status = 303, .type = kTextType, .body = bytes_of("")};
      answer.location = "/";
      answer.cookie =
          fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(), token_);
      return answer;
    }
    WebAnswer answer = refusal(
        request, 401, "a token is needed: open the address that `bitlaw serve` printed once");
    answer.challenge = "Bearer";
    return answer;
  }
  // A page of another site may make a browser ask, although it cannot read the answer.
  const bool elsewhere = request.fetch_site == "cross-site" || request.fetch_site == "same-site";
  if ((elsewhere && request.path.starts_with("/api/")) || (asks && !is_own_origin(request)))
    return refusal(request, 403, "a page of another site asked");
  // The token leaves the address bar, also when the cookie is there already.
  if (!token_.empty() && request.path == "/" && request.query.contains("token")) {
    WebAnswer answer{.status = 303, .type = kTextType, .body = bytes_of("")};
    answer.location = "/";
    return answer;
  }
  return std::nullopt;
}

}  // namespace bitlaw
