// Runs a fuzz target without a fuzzer: on the empty input, on every seed, and on deterministic
// mutations of each (bytes flipped, set, inserted, removed, copied, cut off; numbers at their
// limits).
//
//   fuzz_NAME [--mutations N] FILE_OR_FOLDER...
//
// A target that crashes or throws ends the program, which then names the input; the same arguments
// reproduce it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

char current_input[512] = "none";

void name_current_input() {
  const char* parts[] = {"the input was ", current_input, "\n"};
  for (const char* part : parts) {
    if (::write(STDERR_FILENO, part, std::strlen(part)) < 0) return;
  }
}

void on_signal(int number) {
  name_current_input();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void run(const std::string& name, const std::string& input) {
  fmt::format_to_n(current_input, sizeof current_input - 1, "{}{}", name, '\0');
  // A heap block of exactly this size, so that a sanitizer sees a read beyond it.
  const std::vector<uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

// One to four edits, drawn from (seed's number, mutation's number).
std::string mutated(std::string bytes, uint64_t seed, uint64_t mutation) {
  uint64_t draws = 0;
  const auto draw = [&](uint64_t below) {
    return random_below(seed, mutation, draws++, std::max<uint64_t>(below, 1));
  };
  const auto interesting = [&] {  // little-endian numbers that parsers trip over
    const int64_t values[] = {0,     1,     -1,        127,       128,       255,      256,
                              32767, 65535, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    const int64_t value = values[draw(std::size(values))];
    return std::string(reinterpret_cast<const char*>(&value), size_t{1} << draw(4));
  };
  for (uint64_t edits = 1 + draw(4); edits > 0; --edits) {
    const size_t at = draw(bytes.size() + 1);
    const size_t length = std::min<size_t>(bytes.size() - at, draw(draw(2) == 0 ? 4 : 64));
    switch (draw(7)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ 1 << draw(8));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(draw(256));
        break;
      case 2:
        bytes.insert(at, 1, static_cast<char>(draw(256)));
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(draw(bytes.size() + 1), bytes.substr(at, length));
        break;
      case 5:
        bytes.resize(at);
        break;
      default: {
        const std::string number = interesting();
        bytes.replace(at, std::min(number.size(), bytes.size() - at), number);
      }
    }
  }
  return bytes;
}

std::vector<fs::path> files_in(const fs::path& root) {
  if (!fs::is_directory(root)) return {root};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

int replay(const std::vector<std::string>& arguments) {
  uint64_t mutations = 1000, inputs = 1, seeds = 0;
  run("the empty input", "");
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--mutations" && i + 1 < arguments.size()) {
      mutations = std::stoull(arguments[++i]);
      continue;
    }
    for (const fs::path& file : files_in(arguments[i])) {
      const std::string bytes = read_file(file);
      run(file.string(), bytes);
      for (uint64_t m = 0; m < mutations; ++m)
        run(fmt::format("{}, mutation {}", file.string(), m), mutated(bytes, seeds, m));
      ++seeds;
      inputs += 1 + mutations;
    }
  }
  if (seeds == 0) throw Error("no seeds; give a folder of them");
  fmt::print("{} inputs from {} seeds\n", inputs, seeds);
  return 0;
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS})
    std::signal(number, bitlaw::on_signal);
  if (__sanitizer_set_death_callback != nullptr)
    __sanitizer_set_death_callback(bitlaw::name_current_input);
  try {
    return bitlaw::replay({argv + 1, argv + argc});
  } catch (const std::exception& trouble) {
    fmt::print(stderr, "{}\n", trouble.what());
    bitlaw::name_current_input();
    return 1;
  }
}
