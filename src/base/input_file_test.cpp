#include "base/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

fs::path make_fifo(const TestFolder& folder) {
  const fs::path fifo = folder / "fifo";
  EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  return fifo;
}

void write_after(int milliseconds, const fs::path& fifo, std::string_view bytes) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  const Descriptor file(fifo, O_WRONLY);
  EXPECT_TRUE(write_all(file.get(), bytes));
}

TEST(InputFile, ARegularFileIsRead) {
  const TestFolder folder;
  for (const std::string& bytes :
       {std::string(), std::string("a\0b", 3), std::string(200000, 'x')}) {
    folder.write("file", bytes);
    EXPECT_EQ(read_input_file(folder / "file"), bytes);
  }
}

TEST(InputFile, APipeIsReadToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string bytes(300000, 'x');
  std::thread writer([&] {
    const Descriptor end(ends[1]);
    EXPECT_TRUE(write_all(end.get(), bytes));
  });
  EXPECT_EQ(read_input_file("/dev/fd/" + std::to_string(ends[0])), bytes);
  writer.join();
  ::close(ends[0]);
}

TEST(InputFile, APipeWhoseWriterHasLeftIsRead) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_TRUE(write_all(ends[1], "all"));
  ::close(ends[1]);
  EXPECT_EQ(read_input_file("/dev/fd/" + std::to_string(ends[0])), "all");
  EXPECT_EQ(read_input_file("/dev/fd/" + std::to_string(ends[0])), "");
  ::close(ends[0]);
}

TEST(InputFile, AFifoIsWaitedForAndThatIsSaid) {
  const TestFolder folder;
  const fs::path fifo = make_fifo(folder);
  for (const int milliseconds : {0, 1500}) {
    std::thread writer([&] { write_after(milliseconds, fifo, "bytes"); });
    testing::internal::CaptureStderr();
    EXPECT_EQ(read_input_file(fifo), "bytes");
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("fifo: nothing has been written there yet; waiting") != std::string::npos,
              milliseconds > 0)
        << said;
    writer.join();
  }
}

TEST(InputFile, WhereARegularFileIsNeededNothingIsWaitedFor) {
  const TestFolder folder;
  const fs::path fifo = make_fifo(folder);
  for (const std::string& error :
       {error_of([&] { open_regular_file(fifo); }), error_of([&] { read_file(fifo); }),
        error_of([&] { MappedFile{fifo}; })}) {
    EXPECT_EQ(error, fifo.string() + ": is a FIFO, not a regular file");
  }
  EXPECT_NE(error_of([&] { append_line(fifo, "line"); }), "");
}

TEST(InputFile, DevicesAndDirectoriesAreRefused) {
  const TestFolder folder;
  EXPECT_EQ(error_of([] { read_input_file("/dev/zero"); }),
            "/dev/zero: is a device, expected a file or a pipe");
  EXPECT_NE(error_of([&] { read_input_file(folder.path()); }).find("is a directory"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_input_file(folder / "none"); }).find("No such file"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
