// What the page asks, and the answer: JSON in, JSON out, in the module's memory.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ask/ask.h"

namespace {
std::string answer;
}

extern "C" {

// Memory for a question of `size` bytes.
[[clang::export_name("bitlaw_memory")]] void* bitlaw_memory(uint32_t size) {
  return std::malloc(size);
}

// Answers the question of `size` bytes at `text`, which is freed. Returns the size of the answer.
[[clang::export_name("bitlaw_ask")]] uint32_t bitlaw_ask(char* text, uint32_t size) {
  const std::string question(text, size);
  std::free(text);
  answer = bitlaw::ask_text(question);
  return static_cast<uint32_t>(answer.size());
}

// Where the last answer is, until the next question.
[[clang::export_name("bitlaw_answer")]] const char* bitlaw_answer() {
  return answer.data();
}
}
