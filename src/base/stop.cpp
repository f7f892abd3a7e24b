#include "base/stop.h"

#include <atomic>

namespace bitlaw {
namespace {

std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

}  // namespace

void request_stop() {
  requested.store(true, std::memory_order_relaxed);
}
bool stop_requested() {
  return requested.load(std::memory_order_relaxed);
}
void clear_stop_request() {
  requested.store(false, std::memory_order_relaxed);
}

void end_if_stop_requested() {
  if (stop_requested()) throw Stopped();
}

}  // namespace bitlaw
