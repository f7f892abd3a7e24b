// A wish to stop: set by Ctrl-C, by a scheduler's SIGTERM, or by a caller; looked at after each
// step.
#pragma once

namespace bitlaw {

// From now on SIGINT and SIGTERM ask for a stop; the second one of a kind ends the process at once.
void install_stop_handlers();

void request_stop();
bool stop_requested();
void clear_stop_request();

inline constexpr int kInterruptedExitCode = 130;  // 128 + SIGINT, as shells have it

}  // namespace bitlaw
