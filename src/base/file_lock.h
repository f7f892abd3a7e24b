// A lock between processes: a file that one of them holds at a time. The kernel releases it when the
// process ends, however that happens. The file stays.
//
// Some network file systems have no locks. There every process gets the lock, and what must not
// happen twice is prevented above it.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace bitlaw {

// Another process is at the same work. Nothing is wrong, and later it will be free.
class Busy : public Error {
  using Error::Error;
};
inline constexpr int kBusyExitCode = 75;  // of the program after Busy: EX_TEMPFAIL, "try later"

class FileLock {
 public:
  FileLock() = default;  // holds nothing
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // False if another process holds it. Creates the file; Error if it cannot be written.
  bool take(const std::filesystem::path& file);

 private:
  int descriptor_ = -1;
};

}  // namespace bitlaw
