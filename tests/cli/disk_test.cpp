// Full disks and directories that cannot be written: one sentence, and nothing half-written.
//
// A full disk is a small tmpfs if this process may mount one, and in any case a limit on file
// sizes, to which write() responds as to a full disk.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Disk : public World {
 protected:
  void make_directory_read_only(const std::string& name) {
    fs::permissions(around_.directory / name, fs::perms::owner_write, fs::perm_options::remove);
    around_.no_privileges = true;
  }
  bool surroundings_can_be_made() { return run({"--version"}).status != kNoSurroundings; }
  std::vector<std::string> prepare_to(const std::string& place) {
    return {"data", "prepare", "text", "--to", place, "--tokenizer", "byte", "--quiet"};
  }
};

std::string weights_of(const fs::path& run) {
  return read_file(run / "checkpoints/final/model.safetensors");
}

bool anything_temporary(const fs::path& folder) {
  for (const auto& [name, content] : snapshot_of(folder)) {
    if (name.find(".tmp") != std::string::npos) return true;
  }
  return false;
}

TEST_F(Disk, TooSmallForADataSet) {
  around_.largest_file = 8000;
  expect_refused(prepare_to("new"), {"cannot be written"});
}

TEST_F(Disk, TooSmallForAFitOrATableOrAReport) {
  around_.largest_file = 200;
  expect_refused({"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--out", "fit.json"},
                 {"fit.json", "cannot be written"});
  write_text(around_.directory / "fit.json", "an older one");
  expect_refused({"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--out", "fit.json"},
                 {"fit.json", "cannot be written"});
  expect_refused({"runs", "runs", "--csv", "out.csv"}, {"out.csv", "cannot be written"});
  expect_refused({"report", "runs", "--out", "page.html"}, {"page.html", "cannot be written"});
}

TEST_F(Disk, TooSmallForACheckpointAndThenLargeEnough) {
  const std::string whole = weights_of(around_.directory / run_);
  around_.largest_file = whole.size() / 2;
  const std::vector<std::string> again = tiny_run({"--directory", "other"});
  const Outcome outcome = run(again);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("bitlaw: ")) << outcome.err;
  EXPECT_NE(outcome.err.find("model.safetensors: cannot be written"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  EXPECT_FALSE(anything_temporary(around_.directory));
  const fs::path other = around_.directory / "other" / fs::path(run_).filename();
  EXPECT_FALSE(fs::exists(other / "result.json"));
  EXPECT_FALSE(fs::exists(other / "checkpoints/final"));

  around_.largest_file.reset();
  EXPECT_EQ(run(again).status, 0);
  EXPECT_EQ(weights_of(other), whole) << "the run went on where it could";
}

TEST_F(Disk, TooSmallForACellOfQuantization) {
  fs::create_directory(around_.directory / run_ / "ptq");  // an empty one may stay, and the lock
  write_text(around_.directory / run_ / "ptq.lock", "");
  around_.largest_file = 300;
  expect_refused({"quantize", run_, "--method", "rtn", "--bits", "3", "--calibration-tokens", "512",
                  "--evaluation-tokens", "512", "--quiet"},
                 {"cannot be written"});
}

TEST_F(Disk, TooSmallForTheRunsOfASweep) {
  write_text(around_.directory / "s.toml",
             "name = \"s\"\n[base]\ndata.path = \"data\"\nmodel.width = 32\nmodel.heads = 2\n"
             "model.sequence = 32\ntrain.batch_tokens = 256\ntrain.tokens = 2560\n"
             "[[grid]]\n\"train.seed\" = [1, 2]\n");
  around_.largest_file = 20000;
  const Outcome full = run({"sweep", "s.toml", "--quiet", "--json"});
  EXPECT_EQ(full.status, 1);
  EXPECT_EQ(full.json().at("failed"), 0) << "no job is to blame";
  EXPECT_EQ(full.json().at("waiting"), 2);
  EXPECT_NE(full.err.find("cannot be written"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("the same command goes on"), std::string::npos) << full.err;
  EXPECT_EQ(std::count(full.err.begin(), full.err.end(), '\n'), 1);
  around_.largest_file.reset();
  EXPECT_EQ(json_of({"sweep", "s.toml", "--quiet", "--json"}).at("done"), 2);
}

TEST_F(Disk, FullBehindARedirection) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full here";
  around_.output_to = "/dev/full";
  expect_refused({"plan", "--compute", "1e21"}, {"standard output cannot be written"});
  expect_refused({"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--json"},
                 {"standard output cannot be written"});
}

TEST_F(Disk, ReallyFull) {
  const fs::path small = around_.directory / "small";
  fs::create_directory(small);
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", small.c_str(), "tmpfs", 0, "size=32k") != 0)
    GTEST_SKIP() << "this process may not mount a file system";
  write_text(small / "keep", "what was there before");
  expect_refused(prepare_to("small/data"), {"No space left on device"});
  const Outcome outcome = run(tiny_run({"--directory", "small/runs"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.err.starts_with("bitlaw: ")) << outcome.err;
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
  EXPECT_FALSE(anything_temporary(small));
  EXPECT_EQ(read_file(small / "keep"), "what was there before");
  ::umount(small.c_str());
}

TEST_F(Disk, ReadOnlyDirectories) {
  for (const char* name : {"runs", "data", "text", "."}) make_directory_read_only(name);
  make_directory_read_only(run_);
  if (!surroundings_can_be_made())
    GTEST_SKIP() << "the rights of the superuser cannot be dropped here";
  expect_refused(prepare_to("new"), {"new", "Permission denied"});
  expect_refused(prepare_to("data/new"), {"new", "Permission denied"});
  expect_refused(tiny_run({"--directory", "runs", "train.seed=2"}), {"runs", "Permission denied"});
  expect_refused(tiny_run({"--directory", "other"}), {"other", "Permission denied"});
  expect_refused({"quantize", run_, "--method", "rtn", "--bits", "3", "--calibration-tokens", "512",
                  "--evaluation-tokens", "512", "--quiet"},
                 {"Permission denied"});
  expect_refused({"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--out", "fit.json"},
                 {"fit.json", "Permission denied"});
  expect_refused({"runs", "runs", "--csv", "out.csv"}, {"out.csv", "Permission denied"});
  expect_refused({"report", "runs", "--out", "page.html"}, {"page.html", "Permission denied"});
  // Commands that only read still work: the index is kept in memory if it cannot be written.
  EXPECT_EQ(json_of({"runs", "runs", "--json"}).at("rows").size(), 1u);
  EXPECT_EQ(json_of({"eval", run_, "--json"}).at("run"), fs::path(run_).filename().string());
  EXPECT_EQ(json_of(tiny_run({"--json"})).at("was_there"), true);
}

TEST_F(Disk, PlacesBelowAFile) {
  expect_refused(prepare_to("table.csv/new"), {"table.csv/new"});
  expect_refused(tiny_run({"--directory", "table.csv/runs"}), {"table.csv/runs"});
  expect_refused(
      {"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--out", "table.csv/fit.json"},
      {"table.csv"});
  expect_refused({"report", "runs", "--out", "table.csv/page.html"}, {"table.csv"});
  expect_refused({"runs", "table.csv"}, {"table.csv"});
}

}  // namespace
}  // namespace bitlaw
