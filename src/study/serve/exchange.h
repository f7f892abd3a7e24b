// One request and its answer on a socket: cpp-httplib parses and writes, with limits that it does not
// have: a time for the whole exchange, and a body of at most so many bytes, read only after `gate` let
// the request in.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "serve/message.h"

namespace bitlaw {

struct Handlers {
  // The answer to a request that is refused by its head; empty: let in.
  std::function<std::optional<WebAnswer>(const WebRequest&)> gate;
  std::function<WebAnswer(const WebRequest&)> answer;
  // Whether one more viewer may stay, who then counts as one.
  std::function<bool()> admit;
};

struct ExchangeLimits {
  double seconds = 30;
  size_t body_bytes = size_t{4} << 20;
};

// `head`: checked (serve/head.h); `rest`: bytes behind it that were read already. Whether the socket is a
// viewer's from now on; it is to be closed otherwise. Does not throw.
bool exchange(int socket, const std::string& head, const std::string& rest,
              const Handlers& handlers, const ExchangeLimits& limits);

// An answer as bytes of HTTP, without cpp-httplib: to what never was a request.
std::string answer_bytes(const WebAnswer& answer);

}  // namespace bitlaw
