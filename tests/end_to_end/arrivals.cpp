#include "end_to_end/arrivals.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"

namespace bitlaw {

namespace fs = std::filesystem;

Arrivals::Arrivals() : descriptor_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  BITLAW_CHECK(descriptor_ >= 0);
}

Arrivals::~Arrivals() {
  ::close(descriptor_);
}

void Arrivals::watch(const fs::path& directory, const std::string& name) {
  fs::create_directories(directory);
  const int watch = ::inotify_add_watch(descriptor_, directory.c_str(), IN_MOVED_TO);
  BITLAW_CHECK(watch >= 0);
  watched_[watch] = {directory, name};
}

const std::map<std::string, int>& Arrivals::counts() {
  alignas(inotify_event) char buffer[1 << 16];
  while (true) {
    const ssize_t bytes = ::read(descriptor_, buffer, sizeof buffer);
    if (bytes <= 0) return counts_;
    for (const char* at = buffer; at < buffer + bytes;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      BITLAW_CHECK((event->mask & IN_Q_OVERFLOW) == 0);
      if (event->len == 0) continue;
      const Watched& watched = watched_.at(event->wd);
      if (watched.name.empty() || watched.name == event->name)
        ++counts_[(watched.directory / event->name).string()];
    }
  }
}

std::string Arrivals::doubled() {
  std::string out;
  for (const auto& [path, count] : counts()) {
    if (count > 1) out += fmt::format("{} came {} times\n", path, count);
  }
  return out;
}

}  // namespace bitlaw
