// Shared by the benchmarks: command line, errors and clocks.
#pragma once

#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <string>

#include "base/error.h"

namespace bitlaw::bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
inline double seconds_of(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
inline double thread_seconds() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}
inline double processor_seconds() {  // of all threads
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

inline const CLI::Validator& positive() {
  static const CLI::Validator check(
      [](std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        return !text.empty() && *end == 0 && value > 0
                   ? std::string()
                   : fmt::format("'{}' is not a positive number", text);
      },
      "above 0");
  return check;
}

// The whole of main: define(app, options) adds the flags besides --json, run(options) does the work.
// Options needs a member `json`.
template <class Options, class Define, class Run>
int program(int argc, char** argv, const std::string& description, Define define, Run run) {
  Options options;
  CLI::App app(description);
  app.option_defaults()->always_capture_default();
  app.add_flag("--json", options.json, "print one JSON document instead of lines");
  define(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

}  // namespace bitlaw::bench
