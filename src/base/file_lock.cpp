#include "base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bitlaw {
namespace {

// The errno of a file system without locks: some NFS and FUSE mounts.
bool has_no_locks(int error) {
  return error == ENOLCK || error == ENOTSUP || error == EOPNOTSUPP || error == ENOSYS;
}

}  // namespace

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
  int error = 0;
  do {
    error = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error == EWOULDBLOCK) return false;
  if (error == 0 || has_no_locks(error)) return true;
  throw Error(fmt::format("{}: cannot be locked: {}", file.string(), std::strerror(error)));
}

}  // namespace bitlaw
