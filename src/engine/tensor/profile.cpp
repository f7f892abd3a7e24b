#include "tensor/profile.h"

#include <time.h>

#include <cstring>

namespace bitlaw {

Profile::Entry& Profile::at(const char* op) {
  for (Entry& entry : entries_) {
    if (std::strcmp(entry.op, op) == 0) return entry;
  }
  entries_.push_back({op});
  return entries_.back();
}

double Timed::thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void Timed::finish() {
  const double seconds = thread_seconds() - begin_;
  Profile::Entry& entry = profile_->at(op_);
  ++entry.calls;
  entry.seconds += seconds;
  entry.flops += flops_;
  entry.bytes += bytes_;
}

}  // namespace bitlaw
