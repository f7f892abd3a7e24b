// Training stops at a request (base/stop.h) between two layers: a step that is not finished is left
// out, and the state after the last whole step is saved.
#pragma once

#include "base/stop.h"

namespace bitlaw {

// From now on SIGINT and SIGTERM request a stop. A second SIGINT ends the process at once. A second
// SIGTERM does not: schedulers of clusters send one to every process of a job, and a worker sends one
// to each of its own.
void install_stop_handlers();

inline constexpr int kInterruptedExitCode = 130;  // 128 + SIGINT, as in shells

}  // namespace bitlaw
