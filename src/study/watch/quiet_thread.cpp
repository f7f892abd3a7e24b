#include "watch/quiet_thread.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace bitlaw {

void lower_thread_priority(int nice) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
}

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace bitlaw
