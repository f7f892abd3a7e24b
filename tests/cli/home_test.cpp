// "~" in keys and in --flag=~/place, which no shell reads: the home, not a folder of that name.
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class HomeTest : public World {
 protected:
  HomeTest() {
    around_.variables["HOME"] = (around_.directory / "home").string();
    fs::create_directory(around_.directory / "home");
    copy_tree(around_.directory / "data", around_.directory / "home/data");
  }
};

TEST_F(HomeTest, StandsForATildeInKeysAndStudies) {
  const fs::path home = around_.directory / "home";
  const Outcome trained =
      run(tiny_run({"data.path=~/data", "run.directory=~/runs", "train.seed=9"}));
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(home / "runs"), {}), 1);
  write_text(around_.directory / "study.toml",
             "name = \"s\"\n[base]\ndata.path = \"~/data\"\nmodel.width = 32\nmodel.heads = 2\n"
             "model.sequence = 32\ntrain.batch_tokens = 256\ntrain.tokens = 5120\n"
             "[[grid]]\n\"train.seed\" = [9]\n");
  const Outcome planned = run({"sweep", "study.toml", "--runs=~/runs", "--dry-run"});
  EXPECT_EQ(planned.status, 0) << planned.err;
  const Outcome prepared =
      run({"data", "prepare", "text", "--to=~/again", "--tokenizer", "byte", "--quiet"});
  EXPECT_EQ(prepared.status, 0) << prepared.err;
  EXPECT_TRUE(fs::exists(home / "again/dataset.json"));
  const Outcome written = run({"runs", run_ + "/..", "--csv=~/table.csv"});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_TRUE(fs::exists(home / "table.csv"));
  const Outcome listed = run({"runs", "~/runs"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  std::string name;  // of the run, beside an index
  for (const fs::directory_entry& entry : fs::directory_iterator(home / "runs")) {
    if (fs::exists(entry.path() / "run.json")) name = entry.path().filename();
  }
  const Outcome exported = run({"export", "~/runs/" + name, "--gguf", "~/model.gguf"});
  EXPECT_EQ(exported.status, 0) << exported.err;
  EXPECT_TRUE(fs::exists(home / "model.gguf"));
  EXPECT_FALSE(fs::exists(around_.directory / "~"));
}

}  // namespace
}  // namespace bitlaw
