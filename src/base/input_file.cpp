#include "base/input_file.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/home.h"
#include "base/output_file.h"
#include "base/say.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int kSilentMilliseconds = 1000;  // of waiting for a pipe, before it is said

[[noreturn]] void cannot_read(const fs::path& path, const std::string& why) {
  throw Error(fmt::format("{}: cannot be read: {}", path.string(), why));
}

const char* kind_of(mode_t mode) {
  return S_ISDIR(mode)    ? "a directory"
         : S_ISFIFO(mode) ? "a FIFO"
         : S_ISSOCK(mode) ? "a socket"
                          : "a device";
}

// Without waiting: of a FIFO, too.
Descriptor open_at_once(const fs::path& path, struct stat& status) {
  Descriptor file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.ok() || ::fstat(file.get(), &status) != 0) cannot_read(path, std::strerror(errno));
  return file;
}

// Says that something takes long, unless it is over before.
class SayIfSlow {
 public:
  explicit SayIfSlow(std::string sentence)
      : thread_([this, text = std::move(sentence)] {
          std::unique_lock lock(mutex_);
          const std::chrono::milliseconds time(kSilentMilliseconds);
          if (!changed_.wait_for(lock, time, [this] { return over_; })) say_line(text);
        }) {}
  ~SayIfSlow() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  SayIfSlow(const SayIfSlow&) = delete;
  SayIfSlow& operator=(const SayIfSlow&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

std::string waiting(const fs::path& path) {
  return fmt::format("{}: nothing has been written there yet; waiting", path.string());
}

// A FIFO is opened once, and where it waits for a writer, that is said: a reader that looks in and
// leaves would take the writer's bytes with it.
Descriptor open_input(const fs::path& path, struct stat& status) {
  if (::stat(path.c_str(), &status) != 0) cannot_read(path, std::strerror(errno));
  if (const int open = own_descriptor(follow_links(path)); open >= 0) {
    Descriptor file(::fcntl(open, F_DUPFD_CLOEXEC, 0));
    if (!file.ok() || ::fstat(file.get(), &status) != 0) cannot_read(path, std::strerror(errno));
    return file;
  }
  if (!S_ISFIFO(status.st_mode)) return open_at_once(path, status);
  const SayIfSlow saying(waiting(path));
  Descriptor file(path, O_RDONLY);
  if (!file.ok()) cannot_read(path, std::strerror(errno));
  return file;
}

void wait_for_bytes(int fd, const fs::path& path, bool& said) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, said ? -1 : kSilentMilliseconds) != 0) return;
  say_line(waiting(path));
  said = true;
}

}  // namespace

Descriptor open_regular_file(const fs::path& path) {
  struct stat status {};
  Descriptor file = open_at_once(path, status);
  if (S_ISDIR(status.st_mode))
    throw Error(fmt::format("{}: is a directory, expected a file", path.string()));
  if (!S_ISREG(status.st_mode)) {
    throw Error(
        fmt::format("{}: is {}, not a regular file", path.string(), kind_of(status.st_mode)));
  }
  return file;
}

std::string read_input_file(const fs::path& named) {
  const fs::path path = expand_home(named.string());
  struct stat status {};
  const Descriptor file = open_input(path, status);
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !::isatty(file.get())) {
    throw Error(fmt::format("{}: is {}, expected a file or a pipe", path.string(),
                            kind_of(status.st_mode)));
  }
  std::string bytes;
  char buffer[1 << 16];
  bool said = S_ISREG(status.st_mode);
  while (true) {
    if (!S_ISREG(status.st_mode)) wait_for_bytes(file.get(), path, said);
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n == 0) return bytes;
    if (n > 0) bytes.append(buffer, static_cast<size_t>(n));
    if (n < 0 && errno != EINTR && errno != EAGAIN) cannot_read(path, std::strerror(errno));
  }
}

}  // namespace bitlaw
