#include "record/leftovers.h"

#include <system_error>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/temporary.h"
#include "record/cell.h"
#include "record/result.h"

namespace bitlaw {

namespace fs = std::filesystem;

fs::path state_directory(const fs::path& run) {
  return run / "checkpoints/state";
}

void remove_leftovers_of_run(const fs::path& run) {
  std::error_code ignored;
  if (!fs::exists(result_file(run), ignored)) return;
  for (const fs::path& place : {run, run / "checkpoints", cell_directory(run)})
    remove_old_temporaries(place, Owner::kBitlaw);
  if (!fs::exists(state_directory(run), ignored)) return;
  try {
    FileLock lock;
    if (lock.take(run / "lock")) fs::remove_all(state_directory(run), ignored);
  } catch (const Error&) {  // a disk that is only read, for example
  }
}

}  // namespace bitlaw
