// Ctrl-C while C++ works without the GIL: whoever works calls look() now and then.
#pragma once

#include <nanobind/nanobind.h>

#include <chrono>

namespace bitlaw {

// Ends the work where somebody presses Ctrl-C: nothing between takes it for a sentence. Python's error is
// set, so whoever holds the GIL again throws nanobind::python_error.
struct Interrupted {};

class CtrlC {
 public:
  // In the thread that Python called, without the GIL. In another thread of Python it looks in vain: signals
  // are the main thread's.
  void look() {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_ < std::chrono::milliseconds(50)) return;
    looked_ = now;
    const nanobind::gil_scoped_acquire held;
    if (PyErr_CheckSignals() != 0) throw Interrupted();
  }

 private:
  std::chrono::steady_clock::time_point looked_ = {};
};

}  // namespace bitlaw
