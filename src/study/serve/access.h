// Who may look. On loopback anybody on this machine may, but no page of another site through the
// browser: the Host header must be a name of this machine (DNS rebinding). Everywhere else a request
// needs the token, in `Authorization: Bearer` or in the cookie that the first visit (/?token=...) sets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/message.h"

namespace bitlaw {

inline constexpr size_t kShortestToken = 32;

// 40 random hexadecimal digits.
std::string make_token();
// Error, naming `where`, unless it has 32 to 512 letters, digits, "-", "_", "." or "~".
void require_token(const std::string& token, const std::string& where);
// The first line of a file.
std::string read_token(const std::string& file);

// In a time that depends on the lengths alone.
bool same_secret(std::string_view given, std::string_view secret);

// 127.x.y.z, ::1 or localhost.
bool is_loopback(std::string_view address);
// Whether a Host header names this machine to itself, with any port (of a tunnel).
bool is_loopback_host(std::string_view host);
// "http://127.0.0.1:8080"; IPv6 in brackets.
std::string address_text(const std::string& address, int port);

class Access {
 public:
  // Without a token only for loopback.
  Access(bool loopback, std::string token, int port);

  // The answer to a request that may not, or need not, go on: refused, or a first visit, which is sent
  // to the page with a cookie.
  std::optional<WebAnswer> stop(const WebRequest& request) const;

 private:
  bool has_token(const WebRequest& request) const;
  std::string cookie_name() const;

  bool loopback_;
  std::string token_;
  int port_;
};

}  // namespace bitlaw
