// Other programs that the tests of clusters start, in the background or to ask them something.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace bitlaw {

struct Answer {
  int status = -1;  // exit status, or 128 + the signal
  std::string out;  // both streams
};

// Runs a command of the shell.
Answer ask(const std::string& command);

// A process in the foreground of its own that is killed with this one, and by the destructor.
class Daemon {
 public:
  Daemon() = default;
  Daemon(const std::vector<std::string>& command, const std::filesystem::path& log);
  ~Daemon() { kill(); }
  Daemon(Daemon&& other) noexcept;
  Daemon& operator=(Daemon&& other) noexcept;

  void kill();  // with SIGKILL; nothing happens if it does not run
  bool runs();
  int wait();  // its exit status, or 128 + the signal
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

}  // namespace bitlaw
