#include "runs/run_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecond = 1'000'000'000;

int64_t nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

class StateOfFiles {
 public:
  // False if there is no such file; another reason is part of the state.
  bool add(int directory, const std::string& name, const char* label) {
    struct stat status {};
    const int error = ::fstatat(directory, name.c_str(), &status, 0) == 0 ? 0 : errno;
    bytes_ += label;
    bytes_ += '\0';
    append(error);
    if (error == 0) {
      changed_ = std::max(changed_, nanoseconds(status.st_ctim));
      append(status.st_size);
      append(nanoseconds(status.st_mtim));
      append(nanoseconds(status.st_ctim));
      append(static_cast<int64_t>(status.st_ino));
    }
    return error != ENOENT && error != ENOTDIR;
  }

  // The files in a directory.
  void add_directory(const std::string& name) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(name.c_str()), ::closedir);
    if (!directory) return append(errno);
    std::vector<std::string> files;
    while (const dirent* entry = ::readdir(directory.get())) {
      if (entry->d_name[0] != '.') files.emplace_back(entry->d_name);
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) add(::dirfd(directory.get()), file, file.c_str());
  }

  void append(int64_t number) {
    std::array<char, sizeof number> bytes{};
    std::memcpy(bytes.data(), &number, sizeof number);
    bytes_.append(bytes.data(), bytes.size());
  }

  RunState state() const { return {hash_hex(bytes_), changed_}; }

 private:
  std::string bytes_;
  int64_t changed_ = 0;
};

}  // namespace

bool RunState::is_settled(int64_t now) const {
  const bool whole_seconds = changed % kSecond == 0;
  return changed + (whole_seconds ? 2 * kSecond : kSecond / 10) < now;
}

std::optional<RunState> run_state(const fs::path& run, bool mark) {
  const std::string place = run.string() + "/";
  StateOfFiles files;
  if (!files.add(AT_FDCWD, place + "run.json", "run")) return std::nullopt;
  files.append(mark ? 1 : 0);
  files.add(AT_FDCWD, place + "result.json", "result");
  files.add(AT_FDCWD, place + "metrics.jsonl", "metrics");
  files.add(AT_FDCWD, place + "checkpoints", "checkpoints");
  if (files.add(AT_FDCWD, place + "ptq", "ptq")) files.add_directory(place + "ptq");
  return files.state();
}

int64_t time_of_files() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

}  // namespace bitlaw
