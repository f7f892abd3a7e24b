#include "serve/serve.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "laws/registry.h"
#include "serve/access.h"
#include "watch/quiet_thread.h"

namespace bitlaw {
namespace {

// Without viewers, looks go on for so long after the last request.
constexpr std::chrono::seconds kAttention{5};
constexpr double kRestPerLook = 30;

}  // namespace

struct LiveServer::Parts {
  explicit Parts(ServeOptions given)
      : options(std::move(given)),
        view(options.runs),
        door(options.listen, options.port, options.limits),
        access(is_loopback(options.listen), options.token, door.port()),
        refit(view, {.law = options.law},
              [this](std::string event) { door.send(std::move(event)); }),
        routes(view, refit, options.pages) {
    view.look();
    refit.look();
    door.open({.gate = [this](const WebRequest& request) { return access.stop(request); },
               .answer = [this](const WebRequest& request) { return answer(request); },
               .admit = {}},
              [this] { return hello(); });
    looker = std::thread([this] { look_on(); });
  }

  ~Parts() {
    routes.stop();
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      wake.notify_all();
    }
    looker.join();
    door.close();
  }

  // After a time without anybody, the first request sees the folder as it is now.
  WebAnswer answer(const WebRequest& request) {
    {
      const std::lock_guard lock(mutex);
      if (!is_watched()) look_due = true;
      last_request = std::chrono::steady_clock::now();
    }
    if (look_due.exchange(false)) look_once();
    wake.notify_all();
    return routes.answer(request);
  }

  // What a viewer begins with: the version to ask for, and the laws so far.
  std::string hello() const {
    std::string events = view.hello();
    for (const StudyResults& study : view.results()) events += refit.event_of(study.key);
    return events;
  }

  bool is_watched() const {
    return door.viewers() > 0 || std::chrono::steady_clock::now() - last_request < kAttention;
  }

  void look_once() {
    std::string event = view.look();
    if (event.empty()) return;
    door.send(std::move(event));
    refit.look();
  }

  // Of a very large folder a look takes long: it rests 30 times as long.
  void look_on() {
    std::unique_lock lock(mutex);
    double rest = options.look_seconds;
    while (!stopping) {
      wake.wait_for(lock, std::chrono::duration<double>(rest), [&] { return stopping; });
      if (!is_watched()) wake.wait(lock, [&] { return stopping || is_watched(); });
      if (stopping) return;
      lock.unlock();
      const double start = thread_seconds();
      try {
        look_once();
      } catch (const std::exception&) {  // the next look may see more
      }
      rest = std::max(options.look_seconds, kRestPerLook * (thread_seconds() - start));
      lock.lock();
    }
  }

  const ServeOptions options;
  LiveView view;
  Door door;
  const Access access;
  Refit refit;
  Routes routes;

  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::atomic<bool> look_due = false;
  std::chrono::steady_clock::time_point last_request{};
  std::thread looker;
};

LiveServer::LiveServer(ServeOptions options) {
  if (options.runs.empty())
    throw Error("serve: expected a directory of runs, as in: bitlaw serve runs");
  if (!options.token.empty()) require_token(options.token, "the token");
  if (!options.law.empty()) law_named(options.law);
  if (options.token.empty() && !is_loopback(options.listen)) options.token = make_token();
  parts_ = std::make_unique<Parts>(std::move(options));
}

LiveServer::~LiveServer() = default;

int LiveServer::port() const {
  return parts_->door.port();
}

std::string LiveServer::address() const {
  return address_text(parts_->options.listen, port());
}

const std::string& LiveServer::token() const {
  return parts_->options.token;
}

size_t LiveServer::viewers() const {
  return parts_->door.viewers();
}

}  // namespace bitlaw
