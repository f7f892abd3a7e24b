// A lock between processes: a file that one of them holds at a time. The kernel releases it when the
// process ends, however that happens. The file stays.
#pragma once

#include <filesystem>

namespace bitlaw {

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
