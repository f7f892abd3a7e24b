#include "work/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// "" if it cannot be read.
std::string text_in(const fs::path& file) {
  try {
    return trim(read_file(file));
  } catch (const Error&) {
    return "";
  }
}

struct ProcessStat {
  char state = '?';
  int64_t started = 0;  // in clock ticks after the boot
};

// From /proc/PID/stat; its second field, the name, may have spaces and brackets.
std::optional<ProcessStat> stat_of(int64_t pid) {
  const std::string line = text_in(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<std::string> fields = split(trim(line.substr(name_end + 1)), ' ');
  constexpr size_t kStarted = 19;  // of the fields after the name
  if (fields.size() <= kStarted || fields[0].empty()) return std::nullopt;
  return ProcessStat{fields[0][0], std::strtoll(fields[kStarted].c_str(), nullptr, 10)};
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

ProcessIdentity identify() {
  struct stat space {};
  const bool known = ::stat("/proc/self/ns/pid", &space) == 0;
  return {.host = host_name(),
          .boot = text_in("/proc/sys/kernel/random/boot_id"),
          .pid_namespace = known ? std::to_string(space.st_ino) : "",
          .pid = ::getpid(),
          .started = stat_of(::getpid()).value_or(ProcessStat{}).started};
}

// What a child does before it becomes the program. Only calls that are safe after a fork.
[[noreturn]] void become(char** arguments, pid_t parent, int log, const char* directory, int nice) {
  // A group of its own: Ctrl-C reaches the worker alone, which then asks its jobs to stop. If the
  // worker is killed, its jobs are asked by the kernel.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (nice != 0) ::setpriority(PRIO_PROCESS, 0, nice);
  const int null = ::open("/dev/null", O_RDONLY);
  if (::getppid() != parent || ::dup2(null, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0)
    ::_exit(126);
  if (directory[0] != '\0' && ::chdir(directory) != 0) {
    ::dprintf(2, "%s: %s\n", directory, std::strerror(errno));
    ::_exit(126);
  }
  ::execvp(arguments[0], arguments);
  ::dprintf(2, "%s: cannot be started: %s\n", arguments[0], std::strerror(errno));
  ::_exit(127);
}

// With room for what the job says last, which says why on a full disk, too. Appended to, so that what
// an earlier process still writes leaves no hole.
int open_log(const fs::path& file) {
  constexpr off_t kRoom = 4096;
  const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  const bool full = log >= 0 && ::fallocate(log, FALLOC_FL_KEEP_SIZE, 0, kRoom) != 0 &&
                    (errno == ENOSPC || errno == EDQUOT);
  if (log >= 0 && !full) return log;
  const std::string why = std::strerror(errno);
  if (log >= 0) ::close(log);
  throw Error(fmt::format("{}: cannot be written: {}", file.string(), why));
}

}  // namespace

ProcessIdentity own_identity() {
  static const ProcessIdentity identity = identify();
  ProcessIdentity own = identity;
  if (own.pid != ::getpid()) own = identify();  // after a fork
  return own;
}

std::optional<bool> is_alive(const ProcessIdentity& process) {
  const ProcessIdentity own = own_identity();
  if (process.boot.empty() || process.pid_namespace.empty() || process.started == 0 ||
      process.boot != own.boot || process.pid_namespace != own.pid_namespace)
    return std::nullopt;
  const std::optional<ProcessStat> stat = stat_of(process.pid);
  return stat && stat->started == process.started && stat->state != 'Z' && stat->state != 'X';
}

std::string text_of(const ProcessIdentity& process) {
  return fmt::format("{}, process {}", printable(process.host), process.pid);
}

pid_t start_process(const std::vector<std::string>& command, const ProcessOptions& options) {
  make_directories(options.log.parent_path());
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int log = open_log(options.log);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), parent, log, options.directory.c_str(), options.nice);
  ::close(log);
  if (pid < 0)
    throw Error(fmt::format("{}: cannot be started: {}", command[0], std::strerror(errno)));
  return pid;
}

std::string last_line(const fs::path& log) {
  const std::string text = text_in(log);
  const size_t begin = text.find_last_of("\n\r");
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

}  // namespace bitlaw
