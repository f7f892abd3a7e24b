// Runs a fuzz target without a fuzzer: on the empty input, on every seed, and on deterministic
// mutations of each (bytes flipped, set, inserted, removed, copied, cut off; numbers at their
// limits).
//
//   fuzz_NAME [--mutations N] [--seconds S] FILE_OR_FOLDER...
//
// N mutations of each seed; after S seconds no more, but at least 50 of each, so that a slow disk takes
// inputs from a test, not its result.
//
// A target that crashes or throws ends the program, which then names the input; the same arguments
// reproduce it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
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

constexpr uint64_t kFewestRounds = 50;

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

struct Arguments {
  uint64_t mutations = 1000;
  double seconds = 0;  // 0: no limit
  std::vector<fs::path> seeds;
};

Arguments parsed(const std::vector<std::string>& arguments) {
  Arguments out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--mutations" && has_value) {
      out.mutations = std::stoull(arguments[++i]);
    } else if (arguments[i] == "--seconds" && has_value) {
      out.seconds = std::stod(arguments[++i]);
    } else {
      const std::vector<fs::path> files = files_in(arguments[i]);
      out.seeds.insert(out.seeds.end(), files.begin(), files.end());
    }
  }
  if (out.seeds.empty()) throw Error("no seeds; give a folder of them");
  return out;
}

// A round mutates every seed once, so that all have their share if time runs out.
int replay(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const auto is_over = [&] {
    return arguments.seconds > 0 &&
           std::chrono::duration<double>(Clock::now() - begin).count() > arguments.seconds;
  };
  run("the empty input", "");
  std::vector<std::string> seeds;
  for (const fs::path& file : arguments.seeds) {
    seeds.push_back(read_file(file));
    run(file.string(), seeds.back());
  }
  uint64_t rounds = 0;
  for (; rounds < arguments.mutations && (rounds < kFewestRounds || !is_over()); ++rounds) {
    for (size_t seed = 0; seed < seeds.size(); ++seed) {
      run(fmt::format("{}, mutation {}", arguments.seeds[seed].string(), rounds),
          mutated(seeds[seed], seed, rounds));
    }
  }
  fmt::print("{} inputs from {} seeds\n", 1 + seeds.size() * (1 + rounds), seeds.size());
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
    return bitlaw::replay(bitlaw::parsed({argv + 1, argv + argc}));
  } catch (const std::exception& trouble) {
    fmt::print(stderr, "{}\n", trouble.what());
    bitlaw::name_current_input();
    return 1;
  }
}
