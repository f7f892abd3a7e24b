#include "base/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/descriptor.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class OutputFile : public testing::Test {
 protected:
  struct stat status_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((folder_ / name).c_str(), &status), 0) << name;
    return status;
  }
  mode_t mode_of(const std::string& name) const { return status_of(name).st_mode & 07777; }

  // A device such as /dev/null, in the test's own folder. False without the right to make one.
  bool make_device(const std::string& name, unsigned minor) const {
    const fs::path path = folder_ / name;
    if (::mknod(path.c_str(), S_IFCHR | 0666, ::makedev(1, minor)) != 0) return false;
    return Descriptor(path, O_WRONLY).ok();  // some file systems forbid devices
  }

  TestFolder folder_;
};

constexpr unsigned kNull = 3, kFull = 7;  // minor numbers of /dev/null and /dev/full

TEST_F(OutputFile, ANewFileIsMade) {
  write_output_file(folder_ / "deep" / "file", "new");
  EXPECT_EQ(read_file(folder_ / "deep" / "file"), "new");
}

TEST_F(OutputFile, AReplacedFileKeepsItsMode) {
  for (const mode_t mode : {0600, 0640, 0664, 0444, 0755}) {
    folder_.write("file", "old");
    ASSERT_EQ(::chmod((folder_ / "file").c_str(), mode), 0);
    write_output_file(folder_ / "file", "new");
    EXPECT_EQ(read_file(folder_ / "file"), "new");
    EXPECT_EQ(mode_of("file"), mode);
    fs::remove(folder_ / "file");
  }
}

TEST_F(OutputFile, AReplacedFileKeepsItsOwner) {
  constexpr uid_t kOther = 65534;
  folder_.write("file", "old");
  if (::chown((folder_ / "file").c_str(), kOther, kOther) != 0)
    GTEST_SKIP() << "this process may not give files away";
  write_output_file(folder_ / "file", "new");
  EXPECT_EQ(status_of("file").st_uid, kOther);
  EXPECT_EQ(status_of("file").st_gid, kOther);
  EXPECT_EQ(read_file(folder_ / "file"), "new");
}

TEST_F(OutputFile, LinksAreFollowedAndStay) {
  folder_.write("inside/file", "old");
  fs::create_symlink("inside/file", folder_ / "relative");
  fs::create_symlink(folder_ / "relative", folder_ / "chain");
  fs::create_symlink("inside", folder_ / "directory");
  for (const std::string name : {"relative", "chain", "directory/file"}) {
    write_output_file(folder_ / name, name);
    EXPECT_EQ(read_file(folder_ / "inside/file"), name);
  }
  for (const std::string name : {"relative", "chain", "directory"})
    EXPECT_TRUE(fs::is_symlink(folder_ / name)) << name;
  EXPECT_FALSE(fs::is_symlink(folder_ / "inside/file"));
}

TEST_F(OutputFile, ALinkToNothingMakesWhatItLeadsTo) {
  fs::create_symlink("new/file", folder_ / "link");
  write_output_file(folder_ / "link", "text");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "new/file"), "text");
}

TEST_F(OutputFile, LinksInACircleAreAnError) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  EXPECT_NE(error_of([&] { write_output_file(folder_ / "a", "x"); }).find("circle"),
            std::string::npos);
}

TEST_F(OutputFile, ADeviceIsWrittenThroughAndStays) {
  if (!make_device("null", kNull)) GTEST_SKIP() << "this process may not make devices";
  fs::create_symlink("null", folder_ / "link");
  for (const char* name : {"null", "link"}) write_output_file(folder_ / name, "text");
  EXPECT_TRUE(S_ISCHR(status_of("null").st_mode));
  EXPECT_EQ(mode_of("null"), 0666u & mode_of("null"));
  EXPECT_EQ(folder_.names().size(), 2u);
}

TEST_F(OutputFile, AFullDeviceIsAnErrorThatSaysSo) {
  if (!make_device("full", kFull)) GTEST_SKIP() << "this process may not make devices";
  const std::string error = error_of([&] { write_output_file(folder_ / "full", "x"); });
  EXPECT_EQ(error, (folder_ / "full").string() + ": cannot be written: No space left on device");
  EXPECT_TRUE(S_ISCHR(status_of("full").st_mode));
}

TEST_F(OutputFile, AFifoIsWrittenThroughAndStays) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] {
    const Descriptor file(folder_ / "fifo", O_RDONLY);
    char buffer[64];
    for (ssize_t n; (n = ::read(file.get(), buffer, sizeof buffer)) > 0;)
      received.append(buffer, static_cast<size_t>(n));
  });
  const std::vector<std::string_view> parts{"one ", "", "two"};
  write_output_file(folder_ / "fifo", parts);
  reader.join();
  EXPECT_EQ(received, "one two");
  EXPECT_TRUE(S_ISFIFO(status_of("fifo").st_mode));
}

TEST_F(OutputFile, AnOpenDescriptorIsWrittenFromWhereItStands) {
  folder_.write("file", "before ");
  Descriptor file(folder_ / "file", O_WRONLY | O_APPEND);
  fs::create_symlink("/proc/self/fd", folder_ / "fds");
  const std::string number = std::to_string(file.get());
  for (const fs::path& place :
       {fs::path("/proc/self/fd"), fs::path("/proc/thread-self/fd"), folder_ / "fds"})
    write_output_file(place / number, "x");
  fs::create_symlink("fds/" + number, folder_ / "link");
  write_output_file(folder_ / "link", "y");
  EXPECT_EQ(read_file(folder_ / "file"), "before xxxy");
}

TEST_F(OutputFile, ADescriptorThatIsNotOpenAndADirectoryAreErrors) {
  EXPECT_NE(
      error_of([&] { write_output_file("/proc/self/fd/987", "x"); }).find("cannot be written"),
      std::string::npos);
  folder_.write("directory/file", "x");
  EXPECT_NE(error_of([&] { write_output_file(folder_ / "directory", "x"); }).find("a directory"),
            std::string::npos);
  EXPECT_TRUE(fs::exists(folder_ / "directory/file"));
}

}  // namespace
}  // namespace bitlaw
