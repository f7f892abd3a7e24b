#include "base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace bitlaw {

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool FileLock::take(const std::filesystem::path& file) {
  BITLAW_CHECK(descriptor_ < 0);
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw Error(fmt::format("{}: cannot be written: {}; choose another directory for the runs",
                            file.string(), std::strerror(errno)));
  }
  return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace bitlaw
