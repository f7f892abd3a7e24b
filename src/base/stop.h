// A request to stop: from Ctrl-C, a scheduler's SIGTERM, or a caller. Long work looks for it and ends
// with Stopped as soon as what it has done so far is safe.
#pragma once

#include "base/error.h"

namespace bitlaw {

class Stopped : public Error {
 public:
  Stopped() : Error("stopped before the end") {}
};

void request_stop();  // also from a signal handler
bool stop_requested();
void clear_stop_request();

// Throws Stopped if a stop was requested. Called between the layers of a pass through a model.
void end_if_stop_requested();

}  // namespace bitlaw
