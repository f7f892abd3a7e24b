#include "serve/door.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "serve/clock.h"
#include "serve/head.h"

namespace bitlaw {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

[[noreturn]] void refuse_address(const std::string& address, int port, const std::string& why) {
  throw Error(fmt::format("{}, port {}: {}; choose another one with --listen and --port", address,
                          port, why));
}

int port_of(int socket) {
  sockaddr_storage place{};
  socklen_t size = sizeof place;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&place), &size);
  return ntohs(place.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&place)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&place)->sin_port);
}

Descriptor listen_at(const std::string& address, int port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  if (const int error =
          ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found))
    refuse_address(address, port, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  Descriptor socket(::socket(all->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (socket.ok()) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!socket.ok() || ::bind(socket.get(), all->ai_addr, all->ai_addrlen) != 0 ||
      ::listen(socket.get(), 128) != 0)
    refuse_address(address, port, std::strerror(errno));
  return socket;
}

// To something that was no request, or comes at a bad moment: as much as its socket takes at once.
void dismiss(int socket, int status, const std::string& sentence) {
  const WebRequest nothing;
  WebAnswer answer = refusal(nothing, status, sentence);
  if (status == 405) answer.allow = "GET, HEAD";
  const std::string bytes = answer_bytes(answer);
  ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  // Unread bytes would make close() take the answer back.
  ::shutdown(socket, SHUT_WR);
  std::array<char, 4096> rest{};
  while (::recv(socket, rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
  }
  ::close(socket);
}

}  // namespace

Door::Door(const std::string& address, int port, DoorLimits limits)
    : limits_(limits), listening_(listen_at(address, port)) {
  port_ = port_of(listening_.get());
  if (::pipe2(wake_.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    throw Error(std::string("no pipe could be made: ") + std::strerror(errno));
}

Door::~Door() {
  close();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void Door::open(Handlers handlers, std::function<std::string()> hello) {
  handlers_ = std::move(handlers);
  handlers_.admit = [this] {
    size_t now = viewers_now_;
    while (now < limits_.viewers) {
      if (viewers_now_.compare_exchange_weak(now, now + 1)) return true;
    }
    return false;
  };
  hello_ = std::move(hello);
  threads_.emplace_back([this] { watch(); });
  for (int i = 0; i < limits_.workers; ++i) threads_.emplace_back([this] { work(); });
}

void Door::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int socket : busy_) ::shutdown(socket, SHUT_RDWR);
    works_.notify_all();
  }
  wake();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (const Arrival& arrival : arrivals_) ::close(arrival.socket);
  for (const Viewer& viewer : viewers_) ::close(viewer.socket);
  for (const Work& work : waiting_) ::close(work.socket);
  for (const int socket : new_viewers_) ::close(socket);
  arrivals_.clear();
  viewers_.clear();
  waiting_.clear();
  new_viewers_.clear();
}

void Door::wake() const {
  const char byte = 0;
  [[maybe_unused]] const ssize_t sent = ::write(wake_[1], &byte, 1);
}

void Door::send(std::string event) {
  if (event.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  wake();
}

// ---- the watching thread ----

void Door::watch() {
  double beat = clock_seconds() + limits_.beat_seconds;
  std::vector<pollfd> polled;
  while (!closing_) {
    polled = {{listening_.get(), POLLIN, 0}, {wake_[0], POLLIN, 0}};
    for (const Arrival& arrival : arrivals_) polled.push_back({arrival.socket, POLLIN, 0});
    for (const Viewer& viewer : viewers_) {
      const short wanted = viewer.left.empty() ? POLLIN : POLLIN | POLLOUT;
      polled.push_back({viewer.socket, wanted, 0});
    }
    double until = viewers_.empty() ? clock_seconds() + 60 : beat;
    for (const Arrival& arrival : arrivals_) until = std::min(until, arrival.until);
    const double rest = std::clamp(until - clock_seconds(), 0.0, 60.0);
    ::poll(polled.data(), polled.size(), static_cast<int>(1000 * rest) + 1);
    size_t place = 2;
    for (auto each = arrivals_.begin(); each != arrivals_.end(); ++place) {
      const bool ready = polled[place].revents != 0;
      bool done = ready && read_head(*each);
      if (!done && each->until <= clock_seconds()) {
        dismiss(each->socket, 408, "the request did not arrive in time");
        done = true;
      }
      each = done ? arrivals_.erase(each) : std::next(each);
    }
    // What a viewer says is of no interest, but that it is gone is.
    for (auto each = viewers_.begin(); each != viewers_.end(); ++place) {
      bool stays = true;
      if ((polled[place].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        std::array<char, 1024> bytes{};
        const ssize_t count = ::recv(each->socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        stays = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
      }
      if (stays && (polled[place].revents & POLLOUT) != 0) stays = give(*each, "");
      if (!stays) {
        ::close(each->socket);
        --viewers_now_;
      }
      each = stays ? std::next(each) : viewers_.erase(each);
    }
    std::array<char, 64> woken{};
    while (::read(wake_[0], woken.data(), woken.size()) > 0) {
    }
    if ((polled[0].revents & POLLIN) != 0) accept_all();
    std::vector<std::string> events;
    {
      const std::lock_guard lock(mutex_);
      events.swap(events_);
    }
    if (clock_seconds() >= beat) {
      beat = clock_seconds() + limits_.beat_seconds;
      events.emplace_back(": beat\n\n");
    }
    for (const std::string& event : events) {
      for (auto each = viewers_.begin(); each != viewers_.end();) {
        const bool stays = give(*each, event);
        if (!stays) {
          ::close(each->socket);
          --viewers_now_;
        }
        each = stays ? std::next(each) : viewers_.erase(each);
      }
    }
    take_viewers();
  }
}

void Door::accept_all() {
  while (true) {
    const int socket = ::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0 && (errno == EMFILE || errno == ENFILE) && !arrivals_.empty()) {
      ::close(arrivals_.front().socket);
      arrivals_.pop_front();
      continue;
    }
    if (socket < 0 && (errno == EMFILE || errno == ENFILE))
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (arrivals_.size() >= limits_.unfinished) {
      dismiss(arrivals_.front().socket, 503, "too many connections");
      arrivals_.pop_front();
    }
    arrivals_.push_back({socket, "", clock_seconds() + limits_.head_seconds});
  }
}

// Whether the connection is no arrival any more: it was handed over, or has ended.
bool Door::read_head(Arrival& arrival) {
  std::array<char, 4096> bytes{};
  while (true) {
    const ssize_t count = ::recv(arrival.socket, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) {
      ::close(arrival.socket);
      return true;
    }
    const size_t from = arrival.bytes.size() - std::min(arrival.bytes.size(), kHeadEnd.size());
    arrival.bytes.append(bytes.data(), static_cast<size_t>(count));
    const size_t end = arrival.bytes.find(kHeadEnd, from);
    if (end != std::string::npos) {
      const size_t size = end + kHeadEnd.size();
      Head head = checked_head(std::string_view(arrival.bytes).substr(0, size));
      if (head.status == 200)
        hand_over(arrival.socket, std::move(head.bytes), arrival.bytes.substr(size));
      else
        dismiss(arrival.socket, head.status, head.problem);
      return true;
    }
    if (arrival.bytes.size() > kLongestHead) {
      dismiss(arrival.socket, 431, "the head of the request is too long");
      return true;
    }
  }
}

void Door::hand_over(int socket, std::string head, std::string rest) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= limits_.waiting)
    return dismiss(socket, 503, "too many requests at once; try again");
  waiting_.push_back({socket, std::move(head), std::move(rest)});
  works_.notify_one();
}

void Door::take_viewers() {
  std::vector<int> sockets;
  {
    const std::lock_guard lock(mutex_);
    sockets.swap(new_viewers_);
  }
  for (const int socket : sockets) {
    viewers_.push_back({socket, ""});
    if (give(viewers_.back(), hello_())) continue;
    ::close(socket);
    --viewers_now_;
    viewers_.pop_back();
  }
}

// False if the viewer has gone, or does not take what it is sent.
bool Door::give(Viewer& viewer, const std::string& bytes) const {
  const auto send_now = [&](std::string_view text) -> std::optional<size_t> {
    size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t count = ::send(viewer.socket, text.data() + sent, text.size() - sent,
                                   MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) break;
      if (count < 0) return std::nullopt;
      sent += static_cast<size_t>(count);
    }
    return sent;
  };
  if (!viewer.left.empty()) {
    const auto sent = send_now(viewer.left);
    if (!sent) return false;
    viewer.left.erase(0, *sent);
  }
  if (bytes.empty()) return true;
  if (viewer.left.empty()) {
    const auto sent = send_now(bytes);
    if (!sent) return false;
    viewer.left = bytes.substr(*sent);
    return true;
  }
  if (viewer.left.size() + bytes.size() > limits_.viewer_bytes) return false;
  viewer.left += bytes;
  return true;
}

// ---- workers ----

void Door::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    works_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
    if (closing_) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    busy_.push_back(work.socket);
    lock.unlock();
    const bool is_viewer = exchange(work.socket, work.head, work.rest, handlers_, limits_.exchange);
    lock.lock();
    std::erase(busy_, work.socket);
    if (is_viewer) {
      new_viewers_.push_back(work.socket);
      wake();
      continue;
    }
    lock.unlock();
    ::shutdown(work.socket, SHUT_WR);
    std::array<char, 4096> rest{};
    while (::recv(work.socket, rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
    }
    ::close(work.socket);
    lock.lock();
  }
}

}  // namespace bitlaw
