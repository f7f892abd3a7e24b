#include "train/interrupt.h"

#include <signal.h>

namespace bitlaw {

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = [](int) { request_stop(); };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_flags |= SA_RESETHAND;  // once; then the default, which ends the process
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace bitlaw
