#include "base/file_lock.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/test_folder.h"

// What flock() answers in this program; 0: as the kernel does.
static int g_flock_error = 0;

// Takes the place of the C library's.
extern "C" int flock(int descriptor, int operation) {
  if (g_flock_error == 0) return static_cast<int>(::syscall(SYS_flock, descriptor, operation));
  errno = g_flock_error;
  if (g_flock_error == EINTR) g_flock_error = 0;
  return -1;
}

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

TEST(FileLock, WhereThereAreNoLocksEveryoneGetsIt) {
  const TestFolder folder;
  for (const int error : {ENOLCK, ENOTSUP, EOPNOTSUPP, ENOSYS}) {
    g_flock_error = error;
    FileLock first, second;
    EXPECT_TRUE(first.take(folder / "lock")) << error;
    EXPECT_TRUE(second.take(folder / "lock")) << error;
  }
  g_flock_error = EIO;
  FileLock broken;
  EXPECT_THROW(broken.take(folder / "lock"), Error);
  g_flock_error = EINTR;  // once
  FileLock interrupted;
  EXPECT_TRUE(interrupted.take(folder / "lock"));
  g_flock_error = 0;
}

TEST(FileLock, APlaceThatCannotBeWrittenIsAnError) {
  FileLock lock;
  EXPECT_THROW(lock.take("/proc/bitlaw/lock"), Error);
}

}  // namespace
}  // namespace bitlaw
