// A request to stop, by Ctrl-C, a scheduler's SIGTERM, or a caller; checked after each step.
#pragma once

namespace bitlaw {

// From now on SIGINT and SIGTERM request a stop; a second one of the same kind ends the process at
// once.
void install_stop_handlers();

void request_stop();
bool stop_requested();
void clear_stop_request();

inline constexpr int kInterruptedExitCode = 130;  // 128 + SIGINT, as in shells

}  // namespace bitlaw
