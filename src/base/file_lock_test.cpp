#include "base/file_lock.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(FileLock, IsHeldByOneAtATime) {
  const TestFolder folder;
  {
    FileLock first, second;
    EXPECT_TRUE(first.take(folder / "lock"));
    EXPECT_FALSE(second.take(folder / "lock"));
  }
  FileLock third;
  EXPECT_TRUE(third.take(folder / "lock")) << "the file stays, the lock does not";
}

TEST(FileLock, APlaceThatCannotBeWrittenIsAnError) {
  FileLock lock;
  EXPECT_THROW(lock.take("/proc/bitlaw/lock"), Error);
}

}  // namespace
}  // namespace bitlaw
