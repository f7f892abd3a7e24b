// Models along a run, through every verb: kept, quantized, listed, left out of fits, removed.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class AlongARun : public World {
 protected:
  AlongARun() {
    const Outcome out = run(tiny_run({"--directory", "kept", "--checkpoints", "2"}));
    EXPECT_EQ(out.status, 0) << out.err;
    for (const auto& entry : fs::directory_iterator(around_.directory / "kept"))
      name_ = entry.path().filename().string();
  }
  std::vector<std::string> quantize(const std::string& what,
                                    const std::vector<std::string>& further = {}) const {
    std::vector<std::string> arguments{"quantize", what,    "--method", "rtn",
                                       "--bits",   "4",     "--quiet",  "--evaluation-tokens",
                                       "512",      "--json"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return arguments;
  }
  size_t rows(const std::vector<std::string>& conditions = {}) {
    std::vector<std::string> arguments{"runs", "kept", "--json"};
    arguments.insert(arguments.end(), conditions.begin(), conditions.end());
    return json_of(arguments).at("rows").size();
  }

  std::string name_;
};

TEST_F(AlongARun, RowsAreThereForThoseWhoAsk) {
  const Json one = json_of(quantize("kept/" + name_ + "/checkpoints/tokens-1280")).at("rows");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].at("at_tokens"), 1280);
  EXPECT_EQ(json_of(quantize("kept", {"--along"})).at("rows").size(), 3u);
  EXPECT_EQ(json_of(quantize("kept", {"--along", "--dry-run"})).at("rows")[2].at("there"), true);

  EXPECT_EQ(rows(), 2u) << "the run and its cell";
  EXPECT_EQ(rows({"--along"}), 6u);
  const Json kept = json_of({"runs", "kept", "run_fraction<1", "method=none", "--json"}).at("rows");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].at("D"), 1280);
  EXPECT_EQ(kept[0].at("run_fraction"), 0.25);
  EXPECT_EQ(kept[0].at("steps"), 5);
  EXPECT_TRUE(kept[0].at("loss").is_number());
  EXPECT_TRUE(kept[0].at("train_loss").is_null()) << "before the first line of metrics.jsonl";
  EXPECT_TRUE(kept[1].at("train_loss").is_number());

  const Outcome table = run({"fit", "kept", "--law", "chinchilla", "--dry-run"});
  EXPECT_NE(table.out.find("2 rows to fit"), std::string::npos) << table.out;
  EXPECT_NE(table.err.find("4 rows are of models along their runs"), std::string::npos)
      << table.err;
  const Outcome some = run({"fit", "kept", "--law", "chinchilla", "--dry-run", "--where",
                            "run_fraction<1", "--pool", "run_fraction"});
  EXPECT_NE(some.out.find("4 rows to fit"), std::string::npos) << some.out << some.err;
  EXPECT_EQ(json_of({"fit", "kept", "--law", "chinchilla", "--dry-run", "--json"}).at("hash"),
            json_of({"fit", "kept", "--law", "chinchilla", "--dry-run", "--json", "--pool",
                     "run_fraction"})
                .at("hash"))
      << "of what `bitlaw runs` lists";
  const std::vector<std::string> report{"report", "kept", "--json"};
  EXPECT_EQ(json_of(report).at("rows").size(), 2u);
  EXPECT_EQ(json_of({"report", "kept", "--json", "--pool", "all"}).at("rows").size(), 2u);
  EXPECT_EQ(json_of({"report", "kept", "--json", "--pool", "run_fraction"}).at("rows").size(), 6u);
  expect_refused({"report", "kept", "run_fraction<=1"}, {"rows differ in run_fraction"});
  expect_refused({"fit", "kept", "--law", "chinchilla", "--where", "run_fraction<=1"},
                 {"rows differ in run_fraction", "--pool run_fraction"});
}

TEST_F(AlongARun, ModelsGoAndWhatWasMeasuredStays) {
  json_of(quantize("kept", {"--along"}));
  const fs::path place = around_.directory / "kept" / name_ / "checkpoints";
  const Outcome some = run({"runs", "kept", "run_fraction<0.4", "--prune"});
  EXPECT_NE(some.out.find("1 model along the runs removed"), std::string::npos) << some.out;
  EXPECT_FALSE(fs::exists(place / "tokens-1280"));
  EXPECT_TRUE(fs::exists(place / "tokens-2560"));
  EXPECT_EQ(json_of({"runs", "kept", "--prune", "--json"}).at("removed"), 1);
  EXPECT_FALSE(fs::exists(place / "tokens-2560"));
  EXPECT_TRUE(fs::exists(place / "final"));
  EXPECT_EQ(rows({"--along"}), 6u);
  EXPECT_EQ(json_of({"runs", "kept", "--prune", "--json"}).at("removed"), 0);
  const Outcome note = run({"quantize", "kept", "--along", "--bits", "4", "--method", "rtn",
                            "--evaluation-tokens", "512"});
  EXPECT_NE(note.err.find("no model is kept along 1 of 1 run"), std::string::npos) << note.err;
}

TEST_F(AlongARun, MessagesNameTheFlag) {
  expect_refused(tiny_run({"--directory", "other", "--checkpoint-tokens", "100"}),
                 {"bitlaw: --checkpoint-tokens: 100 is not between one step (256 tokens)"});
  expect_refused(tiny_run({"--directory", "other", "--checkpoints", "70"}),
                 {"bitlaw: --checkpoints = 70: expected 0 to 62"});
  expect_refused(tiny_run({"--directory", "other", "run.checkpoints=70"}),
                 {"bitlaw: run.checkpoints = 70: expected 0 to 62"});
  std::vector<std::string> arguments = tiny_run({"--directory", "other", "--checkpoints", "20"});
  std::erase(arguments, "--quiet");
  const Outcome out = run(arguments);
  EXPECT_NE(out.err.find("note: 4 of the 20 models asked for with --checkpoints are kept"),
            std::string::npos)
      << out.err;
}

}  // namespace
}  // namespace bitlaw
