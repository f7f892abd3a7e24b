#include "train/interrupt.h"

#include <signal.h>

#include <atomic>

namespace bitlaw {
namespace {

std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void on_signal(int) {
  requested.store(true, std::memory_order_relaxed);
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_RESETHAND;  // once; then the default, which ends the process
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void request_stop() {
  requested.store(true, std::memory_order_relaxed);
}
bool stop_requested() {
  return requested.load(std::memory_order_relaxed);
}
void clear_stop_request() {
  requested.store(false, std::memory_order_relaxed);
}

}  // namespace bitlaw
