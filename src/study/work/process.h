// Processes: who one is, whether it lives, and how a job starts one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bitlaw {

// A process among all of all machines. Numbers of processes are used again, so the time of its start
// goes with them; they count within a boot of a machine and a namespace of processes.
struct ProcessIdentity {
  std::string host, boot, pid_namespace;
  int64_t pid = 0, started = 0;

  bool operator==(const ProcessIdentity&) const = default;
  template <class V>
  void visit(V& v) {
    v("host", host);
    v("boot", boot);
    v("pid_namespace", pid_namespace);
    v("pid", pid);
    v("started", started);
  }
};

ProcessIdentity own_identity();

// Whether the process has not ended; empty if that cannot be seen from here.
std::optional<bool> is_alive(const ProcessIdentity& process);

// "node7, process 1234"
std::string text_of(const ProcessIdentity& process);

struct ProcessOptions {
  std::filesystem::path log;          // where its output goes
  std::filesystem::path directory{};  // where it starts; empty: the present one
  int nice = 0;
};

// In a group of its own; asked to end if this process dies. Error if it cannot be started.
pid_t start_process(const std::vector<std::string>& command, const ProcessOptions& options);

// Of its log; "" without one.
std::string last_line(const std::filesystem::path& log);

}  // namespace bitlaw
