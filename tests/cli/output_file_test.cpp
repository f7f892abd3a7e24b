// What the options that name a file to write do to what is there: links, modes, devices.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class OutputOption : public World {
 protected:
  // Every option that names a file, with the file's name at the end.
  std::vector<std::vector<std::string>> commands(const std::string& file) const {
    std::vector<std::vector<std::string>> all{
        {"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--out"},
        {"compare", "table.csv", "--laws", "chinchilla,gadre", "--out"},
        {"design", "table.csv", "--law", "chinchilla", "--shrink", "alpha", "--candidates",
         "N=1e6,2e6;D=1e8", "--out"},
        {"simulate", "--law", "chinchilla", "--out"},
        {"report", "runs", "--out"},
        {"runs", "runs", "--csv"},
        {"export", run_, "--gguf"}};
    for (auto& command : all) command.push_back(file);
    return all;
  }
  struct stat status_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((around_.directory / name).c_str(), &status), 0) << name;
    return status;
  }
};

TEST_F(OutputOption, FollowsALinkAndKeepsTheModeOfAFile) {
  for (const auto& command : commands("link")) {
    SCOPED_TRACE(command[0]);
    write_text(around_.directory / "target", "old");
    ASSERT_EQ(::chmod((around_.directory / "target").c_str(), 0600), 0);
    if (!fs::is_symlink(around_.directory / "link"))
      fs::create_symlink("target", around_.directory / "link");
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(fs::is_symlink(around_.directory / "link"));
    EXPECT_TRUE(S_ISREG(status_of("target").st_mode));
    EXPECT_EQ(status_of("target").st_mode & 07777, 0600u);
    EXPECT_NE(read_file(around_.directory / "target"), "old");
  }
}

// A device with the numbers of /dev/null, in the test's own folder.
TEST_F(OutputOption, WritesThroughADevice) {
  if (::mknod((around_.directory / "null").c_str(), S_IFCHR | 0666, ::makedev(1, 3)) != 0)
    GTEST_SKIP() << "this process may not make devices";
  for (const auto& command : commands("null")) {
    SCOPED_TRACE(command[0]);
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    ASSERT_TRUE(S_ISCHR(status_of("null").st_mode));
  }
}

TEST_F(OutputOption, WritesToStandardOutputByItsName) {
  const Outcome named = run({"simulate", "--law", "chinchilla", "--out", "/dev/stdout"});
  EXPECT_EQ(named.status, 0) << named.err;
  EXPECT_EQ(named.out, run({"simulate", "--law", "chinchilla"}).out);
}

TEST_F(OutputOption, FollowsALinkToADirectory) {
  fs::create_directory(around_.directory / "hf");
  for (const char* name : {"to_hf", "to_nothing", "to_data"}) {
    const std::string target = std::string(name).substr(3);
    fs::create_symlink(target, around_.directory / name);
  }
  for (const char* name : {"to_hf", "to_nothing"})
    EXPECT_EQ(run({"export", run_, "--hf", name}).status, 0) << name;
  const Outcome prepared = run({"data", "prepare", "text", "--to", "to_data", "--tokenizer", "byte",
                                "--validation-fraction", "0.3", "--overwrite", "--quiet"});
  EXPECT_EQ(prepared.status, 0) << prepared.err;
  for (const char* name : {"to_hf", "to_nothing", "to_data"})
    EXPECT_TRUE(fs::is_symlink(around_.directory / name)) << name;
  EXPECT_TRUE(fs::exists(around_.directory / "hf/config.json"));
  EXPECT_TRUE(fs::exists(around_.directory / "nothing/config.json"));
}

TEST_F(OutputOption, IsNotTheInput) {
  expect_refused({"compare", "table.csv", "--laws", "chinchilla,gadre", "--out", "table.csv"},
                 {"table.csv: is the input"});
  expect_refused(
      {"design", "table.csv", "--law", "chinchilla", "--shrink", "alpha", "--out", "table.csv"},
      {"table.csv: is the input"});
  expect_refused({"simulate", "--law", "chinchilla", "--like", "table.csv", "--out", "table.csv"},
                 {"table.csv: is the input"});
}

}  // namespace
}  // namespace bitlaw
