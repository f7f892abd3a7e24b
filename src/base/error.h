// Three kinds of trouble, three tools: Error for a world that is wrong (bad file, bad option),
// a returned value for an outcome that can be expected, BITLAW_CHECK for code that is wrong.
#pragma once

#include <stdexcept>
#include <string>

namespace bitlaw {

// One sentence for the user: what is wrong, where, and what to do next.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence) : std::runtime_error(sentence) {}
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace bitlaw

// Stays on in release builds; not for inner loops.
#define BITLAW_CHECK(condition) \
  ((condition) ? (void)0 : ::bitlaw::check_failed(#condition, __FILE__, __LINE__))
