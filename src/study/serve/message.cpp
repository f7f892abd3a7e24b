#include "serve/message.h"

#include "base/json.h"

namespace bitlaw {

const char* reason_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Refused";
  }
}

WebAnswer refusal(const WebRequest& request, int status, const std::string& sentence) {
  WebAnswer answer{.status = status};
  if (request.path.starts_with("/api/")) {
    answer.body = bytes_of(dump_json(Json{{"error", sentence}}) + "\n");
  } else {
    answer.type = kTextType;
    answer.body = bytes_of(sentence + "\n");
  }
  return answer;
}

std::multimap<std::string, std::string> headers_of(const WebAnswer& answer) {
  constexpr const char* kNothing =
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  std::multimap<std::string, std::string> headers{
      {"Content-Type", answer.type},
      {"Content-Security-Policy", answer.policy.empty() ? kNothing : answer.policy},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cache-Control", "no-store"},
      {"Connection", "close"}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) headers.emplace(name, value);
  };
  add("Location", answer.location);
  add("Set-Cookie", answer.cookie);
  add("Allow", answer.allow);
  add("WWW-Authenticate", answer.challenge);
  return headers;
}

}  // namespace bitlaw
