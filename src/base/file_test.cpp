#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest()
      : directory_(fs::temp_directory_path() / ("bitlaw_file_test_" + std::to_string(::getpid()))) {
    fs::create_directories(directory_);
  }
  ~FileTest() override { fs::remove_all(directory_); }

  std::vector<std::string> names() const {  // of what is in the directory
    std::vector<std::string> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  }

  fs::path directory_;
};

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(FileTest, BytesComeBackAsTheyWere) {
  std::string bytes(300000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  for (const std::string& content : {std::string(), std::string("a\0b", 3), bytes}) {
    write_file_atomically(directory_ / "deep" / "er" / "file", content);
    EXPECT_EQ(read_file(directory_ / "deep" / "er" / "file"), content);
    EXPECT_EQ(MappedFile(directory_ / "deep" / "er" / "file").bytes(), content);
  }
}

TEST_F(FileTest, PartsAreWrittenOneAfterAnother) {
  const std::vector<std::string_view> parts{"one ", "", "two"};
  write_file_atomically(directory_ / "file", parts);
  EXPECT_EQ(read_file(directory_ / "file"), "one two");
}

TEST_F(FileTest, NothingStaysBesideTheFile) {
  write_file_atomically(directory_ / "file", "new");
  write_file_atomically(directory_ / "file", "newer");
  EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

// A limit on file size simulates a full disk: the write itself fails half-way.
TEST_F(FileTest, AWriteThatFailsLeavesTheOldFileAndNoOther) {
  write_file_atomically(directory_ / "file", "old");
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      error_of([&] { write_file_atomically(directory_ / "file", std::string(100000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(message.find("cannot be written"), std::string::npos) << message;
  EXPECT_NE(message.find((directory_ / "file").string()), std::string::npos) << message;
  EXPECT_EQ(read_file(directory_ / "file"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

TEST_F(FileTest, ARenameThatFailsLeavesTheTargetAndNoOther) {
  fs::create_directories(directory_ / "target" / "inside");
  EXPECT_NE(error_of([&] { write_file_atomically(directory_ / "target", "x"); }), "");
  EXPECT_TRUE(fs::is_directory(directory_ / "target" / "inside"));
  EXPECT_EQ(names(), std::vector<std::string>{"target"});
}

TEST_F(FileTest, AFileInPlaceOfADirectoryIsAnError) {
  write_file_atomically(directory_ / "file", "old");
  EXPECT_NE(error_of([&] { write_file_atomically(directory_ / "file" / "below", "x"); }), "");
  EXPECT_NE(error_of([&] { make_directories(directory_ / "file" / "below"); }), "");
  EXPECT_NE(error_of([&] { append_line(directory_ / "file" / "below", "x"); }), "");
  EXPECT_EQ(read_file(directory_ / "file"), "old");
}

TEST_F(FileTest, LinesAreAppended) {
  append_line(directory_ / "log", "one");
  append_line(directory_ / "log", "");
  append_line(directory_ / "log", "three");
  EXPECT_EQ(read_file(directory_ / "log"), "one\n\nthree\n");
}

TEST_F(FileTest, AFullDeviceIsAnErrorThatSaysSo) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const std::string message = error_of([] { append_line("/dev/full", "x"); });
  EXPECT_NE(message.find("/dev/full"), std::string::npos) << message;
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
}

TEST_F(FileTest, MissingFilesAndDirectoriesCannotBeRead) {
  const fs::path missing = directory_ / "missing";
  EXPECT_NE(error_of([&] { read_file(missing); }).find(missing.string()), std::string::npos);
  EXPECT_NE(error_of([&] { MappedFile{missing}; }).find(missing.string()), std::string::npos);
  EXPECT_NE(error_of([&] { read_file(directory_); }).find("directory"), std::string::npos);
  EXPECT_NE(error_of([&] { MappedFile{directory_}; }).find("directory"), std::string::npos);
}

TEST_F(FileTest, AMappedFileCanBeMoved) {
  write_file_atomically(directory_ / "a", "first");
  write_file_atomically(directory_ / "b", "second");
  MappedFile file(directory_ / "a");
  MappedFile other(std::move(file));
  EXPECT_EQ(other.bytes(), "first");
  other = MappedFile(directory_ / "b");
  EXPECT_EQ(other.bytes(), "second");
}

}  // namespace
}  // namespace bitlaw
