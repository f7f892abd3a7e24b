// A request to the live view and its answer, without sockets: what routes.h and access.h are about.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace bitlaw {

struct WebRequest {
  std::string method = "GET";
  // Decoded once: "/../x" is a path like any other, and no route.
  std::string path = "/";
  std::multimap<std::string, std::string> query;
  // Headers, "" without them.
  std::string host, authorization, cookie, origin, fetch_site, content_type;
  std::string body;
};

// Shared, because many viewers get the same ones.
using Bytes = std::shared_ptr<const std::string>;
inline Bytes bytes_of(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

inline constexpr const char* kJsonType = "application/json; charset=utf-8";
inline constexpr const char* kTextType = "text/plain; charset=utf-8";
inline constexpr const char* kPageType = "text/html; charset=utf-8";
inline constexpr const char* kEventsType = "text/event-stream; charset=utf-8";

struct WebAnswer {
  int status = 200;
  std::string type = kJsonType;
  Bytes body;
  // Headers; "" for none. Never made of what a request said.
  std::string location, cookie, allow, challenge;
  // Content-Security-Policy; "" for one that allows nothing.
  std::string policy;
  // The connection stays open for events (serve/door.h).
  bool events = false;
};

// The words after a status of the door (serve/door.h), which answers what is no request.
const char* reason_of(int status);

// {"error": sentence} where programs ask, the sentence alone where people do.
WebAnswer refusal(const WebRequest& request, int status, const std::string& sentence);

// With the headers that every answer has, in order; values have no control characters.
std::multimap<std::string, std::string> headers_of(const WebAnswer& answer);

}  // namespace bitlaw
