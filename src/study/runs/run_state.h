// The state of the files that the rows of a run are read from: another one whenever one of them is
// written, replaced, added or removed. It costs a look at each file (stat), and opens none.
//
// Files are compared by name, size, times of change and inode. The time of the last change of status
// (ctime) cannot be set, so a copy that keeps its times is noticed, too. Times are counted in steps of
// the kernel's clock (4 ms) or, on some disks, in seconds: two changes within one step look alike. So a
// state that is younger than such a step is not to be relied on (Git has the same rule).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace bitlaw {

struct RunState {
  // A hash of the above.
  std::string hash;
  // The last change of any of these files, in nanoseconds since 1970.
  int64_t changed = 0;

  // Whether every later change makes another state. `now`: the time before it was taken.
  bool is_settled(int64_t now) const;
};

// `mark` is part of the state. Empty if the directory has no run.json; one that cannot be looked into
// may have one.
std::optional<RunState> run_state(const std::filesystem::path& run, bool mark);

// In nanoseconds since 1970.
int64_t time_of_files();

}  // namespace bitlaw
