#include "serve/exchange.h"

#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>

#include "base/error.h"
#include "serve/head.h"

namespace bitlaw {
namespace {

using Clock = std::chrono::steady_clock;

// A socket that gives up at a time, not only after a silence.
class TimedStream : public httplib::Stream {
 public:
  TimedStream(int socket, std::string begin, double seconds)
      : socket_(socket),
        begin_(std::move(begin)),
        end_(Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }

  ssize_t read(char* bytes, size_t size) override {
    if (place_ < begin_.size()) {
      const size_t count = std::min(size, begin_.size() - place_);
      std::memcpy(bytes, begin_.data() + place_, count);
      place_ += count;
      return static_cast<ssize_t>(count);
    }
    if (!wait_for(POLLIN)) return -1;
    return ::recv(socket_, bytes, size, 0);
  }

  ssize_t write(const char* bytes, size_t size) override {
    size_t sent = 0;
    while (sent < size) {
      if (!wait_for(POLLOUT)) return -1;
      const ssize_t count = ::send(socket_, bytes + sent, size - sent, MSG_NOSIGNAL);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (count < 0) return -1;
      sent += static_cast<size_t>(count);
    }
    return static_cast<ssize_t>(sent);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  // Its own limit on descriptors is one of select(), which nothing here uses.
  socket_t socket() const override { return 0; }

 private:
  bool wait_for(short event) const {
    pollfd waiting{socket_, event, 0};
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
      if (left <= 0) return false;
      const int ready = ::poll(&waiting, 1, static_cast<int>(left));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

  int socket_;
  std::string begin_;
  size_t place_ = 0;
  Clock::time_point end_;
};

// Its listening, its threads and its waiting for the next request are not used.
class Protocol : public httplib::Server {
 public:
  bool run(httplib::Stream& stream) {
    bool closed = false;
    return process_request(stream, true, closed, nullptr);
  }
};

WebRequest request_of(const httplib::Request& given) {
  WebRequest request{.method = given.method, .path = given.path};
  request.query = query_in(given.target);
  request.host = given.get_header_value("Host");
  request.authorization = given.get_header_value("Authorization");
  request.cookie = given.get_header_value("Cookie");
  request.origin = given.get_header_value("Origin");
  request.fetch_site = given.get_header_value("Sec-Fetch-Site");
  request.content_type = given.get_header_value("Content-Type");
  return request;
}

void write_into(const WebAnswer& answer, httplib::Response& out) {
  out.status = answer.status;
  for (const auto& [name, value] : headers_of(answer)) {
    if (name != "Connection" && name != "Content-Type") out.set_header(name, value);
  }
  if (answer.events) {
    // The head without a length; what follows is the door's (serve/door.h).
    out.set_content_provider(answer.type, [](size_t, httplib::DataSink&) { return false; });
  } else {
    out.set_content(answer.body ? *answer.body : std::string(), answer.type);
  }
}

// Why the body is not read; 0: it is, or there is none.
int refuses_body(const httplib::Request& given, size_t most) {
  const std::string length = given.get_header_value("Content-Length");
  if (given.method != "POST") return length.empty() || length == "0" ? 0 : 400;
  const bool is_number = !length.empty() && length.size() < 12 &&
                         length.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || given.get_header_value_count("Content-Length") != 1) return 411;
  if (std::stoull(length) > most) return 413;
  const std::string type = given.get_header_value("Content-Type");
  const bool is_json = type.substr(0, type.find(';')) == "application/json";
  return is_json && !given.has_header("Content-Encoding") ? 0 : 415;
}

std::string problem_of_body(int status, size_t most) {
  switch (status) {
    case 411:
      return "send the body with its Content-Length";
    case 413:
      return fmt::format("the body is larger than {} bytes", most);
    case 415:
      return "expected a body of the type application/json, not compressed";
    default:
      return "a GET has no body";
  }
}

}  // namespace

std::string answer_bytes(const WebAnswer& answer) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, reason_of(answer.status));
  for (const auto& [name, value] : headers_of(answer))
    out += fmt::format("{}: {}\r\n", name, value);
  const std::string body = answer.body ? *answer.body : std::string();
  return out + fmt::format("Content-Length: {}\r\n\r\n{}", body.size(), body);
}

bool exchange(int socket, const std::string& head, const std::string& rest,
              const Handlers& handlers, const ExchangeLimits& limits) {
  try {
    bool is_viewer = false;
    const auto finish = [&](const WebRequest& request, httplib::Response& out) {
      WebAnswer answer;
      try {
        answer = handlers.answer(request);
      } catch (const Error& error) {
        answer = refusal(request, 400, error.what());
      } catch (const std::exception&) {
        answer = refusal(request, 500, "this cannot be answered: a fault of bitlaw");
      }
      if (answer.events && request.method == "GET") {
        is_viewer = handlers.admit();
        if (!is_viewer) answer = refusal(request, 503, "too many viewers; try again later");
      }
      if (answer.events && !is_viewer) answer.events = false;
      write_into(answer, out);
    };
    Protocol protocol;
    protocol.set_pre_routing_handler([&](const httplib::Request& given, httplib::Response& out) {
      const WebRequest request = request_of(given);
      std::optional<WebAnswer> stopped = handlers.gate(request);
      if (!stopped) {
        if (const int status = refuses_body(given, limits.body_bytes))
          stopped = refusal(request, status, problem_of_body(status, limits.body_bytes));
      }
      if (stopped) {
        write_into(*stopped, out);
        return httplib::Server::HandlerResponse::Handled;
      }
      if (given.method == "POST") return httplib::Server::HandlerResponse::Unhandled;
      finish(request, out);
      return httplib::Server::HandlerResponse::Handled;
    });
    if (head.starts_with("POST ")) {
      protocol.Post(".*", [&](const httplib::Request& given, httplib::Response& out,
                              const httplib::ContentReader& reader) {
        WebRequest request = request_of(given);
        const bool whole = reader([&](const char* bytes, size_t count) {
          if (request.body.size() + count > limits.body_bytes) return false;
          request.body.append(bytes, count);
          return true;
        });
        if (whole)
          finish(request, out);
        else
          write_into(refusal(request, 400, "the body did not arrive"), out);
      });
    }
    TimedStream stream(socket, head + rest, limits.seconds);
    protocol.run(stream);
    return is_viewer;
  } catch (const std::exception&) {  // no memory, for example: this connection ends
    return false;
  }
}

}  // namespace bitlaw
