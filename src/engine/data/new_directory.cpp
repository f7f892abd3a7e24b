#include "data/new_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output_file.h"
#include "base/temporary.h"

namespace bitlaw {

namespace fs = std::filesystem;

NewDirectory::NewDirectory(const fs::path& place)
    : place_(follow_links(place)), temporary_(temporary_beside(place_)) {
  make_directories(temporary_);
}

NewDirectory::~NewDirectory() {
  std::error_code error;
  fs::remove_all(temporary_, error);
}

void NewDirectory::commit() {
  const fs::path old = old_beside(place_);
  std::error_code error;
  const bool replaced = fs::exists(place_, error) && !fs::is_empty(place_, error);
  // In one step; the destructor removes what was there.
  if (replaced &&
      ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, place_.c_str(), RENAME_EXCHANGE) == 0)
    return;
  // On file systems that cannot do that, in two.
  if (replaced) fs::rename(place_, old, error);
  if (!error) fs::rename(temporary_, place_, error);
  if (error) {
    const std::string why = error.message();
    if (replaced && !fs::exists(place_, error)) fs::rename(old, place_, error);
    throw Error(fmt::format("{}: the data set cannot be written there: {}; nothing was changed",
                            place_.string(), why));
  }
  fs::remove_all(old, error);
}

}  // namespace bitlaw
