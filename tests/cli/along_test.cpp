// Models along a run, through every verb: kept, quantized, listed, left out of fits, removed.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.h"
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
  EXPECT_EQ(json_of({"runs", "kept", "D<5120", "--prune", "--json"}).at("removed"), 0)
      << "a condition is about the run, which has 5,120 tokens";
  EXPECT_EQ(json_of({"runs", "kept", "D=5120", "--prune", "--json"}).at("removed"), 1);
  EXPECT_FALSE(fs::exists(place / "tokens-2560"));
  EXPECT_TRUE(fs::exists(place / "final"));
  EXPECT_EQ(rows({"--along"}), 6u);
  EXPECT_EQ(json_of({"runs", "kept", "--prune", "--json"}).at("removed"), 0);
  const Outcome note = run({"quantize", "kept", "--along", "--bits", "4", "--method", "rtn",
                            "--evaluation-tokens", "512"});
  EXPECT_NE(note.err.find("note: --along: the models kept along 1 of 1 run were removed"),
            std::string::npos)
      << note.err;
  EXPECT_EQ(note.err.find("no model is kept"), std::string::npos) << note.err;
}

TEST_F(AlongARun, NotesOnWhatAlongFindsAreTrue) {
  const std::vector<std::string> grid{
      "--along", "--bits", "4", "--method", "rtn", "--evaluation-tokens", "512"};
  const auto errors_of = [&](const std::string& place) {
    std::vector<std::string> arguments{"quantize", place};
    arguments.insert(arguments.end(), grid.begin(), grid.end());
    return run(arguments).err;
  };
  const std::string model = "kept/" + name_ + "/checkpoints/tokens-1280";
  EXPECT_NE(errors_of(model).find("note: --along: " + model +
                                  " is one of the models kept along a run; give "),
            std::string::npos)
      << errors_of(model);
  EXPECT_EQ(errors_of(model).find("no model is kept"), std::string::npos);
  EXPECT_NE(errors_of(run_).find("note: --along: no model is kept along 1 of 1 run"),
            std::string::npos);
  EXPECT_EQ(errors_of("kept").find("note:"), std::string::npos) << errors_of("kept");
}

TEST_F(AlongARun, ADamagedModelDoesNotStopTheOthers) {
  const fs::path place = around_.directory / "kept" / name_ / "checkpoints/tokens-1280";
  for (const char* file : {"config.json", "model.safetensors"}) {
    SCOPED_TRACE(file);
    const std::string whole = read_file(place / file);
    write_text(place / file, whole.substr(0, whole.size() / 2));
    const Outcome out = run(quantize("kept", {"--along"}));
    EXPECT_EQ(out.status, 1);
    const Json document = Json::parse(out.out);
    ASSERT_EQ(document.at("rows").size(), 2u);
    EXPECT_EQ(document.at("rows")[1].at("at_tokens"), 2560);
    ASSERT_EQ(document.at("problems").size(), 1u);
    const std::string problem = document.at("problems")[0];
    EXPECT_NE(problem.find(file), std::string::npos) << problem;
    EXPECT_NE(problem.find("the model kept along the run at 1280 tokens is left out, and"),
              std::string::npos)
        << problem;
    EXPECT_NE(problem.find("tokens-1280 may be removed"), std::string::npos) << problem;
    EXPECT_EQ(out.err, "bitlaw: " + problem + "\n");
    expect_refused(quantize("kept/" + name_ + "/checkpoints/tokens-1280"), {file});
    write_text(place / file, whole);
  }
  EXPECT_EQ(json_of(quantize("kept", {"--along"})).at("rows").size(), 3u);
}

TEST_F(AlongARun, ADamagedLineIsNamedAndTheRestIsRead) {
  json_of(quantize("kept", {"--along"}));
  const fs::path file = around_.directory / "kept" / name_ / "metrics.jsonl";
  std::string lines = read_file(file);
  lines.insert(lines.find("\"tokens-1280\""), "#");
  write_text(file, lines);
  const auto listed = [&](const std::vector<std::string>& arguments) {
    const Outcome out = run(arguments);
    EXPECT_EQ(out.status, 1) << out.err;
    return Json::parse(out.out);
  };
  const Json document = listed({"runs", "kept", "--along", "--json"});
  EXPECT_EQ(document.at("rows").size(), 6u);
  ASSERT_EQ(document.at("problems").size(), 1u);
  const std::string problem = document.at("problems")[0];
  EXPECT_NE(problem.find("metrics.jsonl: line 1 is damaged, and the loss of the model kept at 1280 "
                         "tokens is not known; restore the file"),
            std::string::npos)
      << problem;
  EXPECT_TRUE(json_of({"runs", "kept", "--json"}).at("problems").empty()) << "not asked for";
  // Also if only its cell tells that it was there.
  fs::remove_all(around_.directory / "kept" / name_ / "checkpoints/tokens-1280");
  const Json later = listed({"runs", "kept", "run_fraction<0.3", "--json"});
  EXPECT_EQ(later.at("rows").size(), 2u);
  EXPECT_EQ(later.at("problems").size(), 1u);
}

TEST_F(AlongARun, WhatIsNotKeptIsSaidAlsoQuietly) {
  const Outcome again = run(tiny_run({"--directory", "kept", "--checkpoints", "3"}));
  EXPECT_EQ(again.status, 0);
  EXPECT_NE(again.out.find("(already finished)"), std::string::npos) << again.out;
  EXPECT_NE(again.err.find("1 of the 3 models asked for along it are not there; train it in "
                           "another --directory to get them"),
            std::string::npos)
      << again.err;
  const Outcome few = run(tiny_run({"--directory", "other", "--checkpoints", "20"}));
  EXPECT_NE(few.err.find("note: 4 of the 20 models"), std::string::npos) << few.err;
  const Outcome dry = run(tiny_run({"--checkpoints", "20", "--dry-run"}));
  EXPECT_NE(dry.out.find("note: 4 of the 20 models"), std::string::npos) << dry.out;
}

TEST_F(AlongARun, MessagesNameTheFlag) {
  expect_refused(tiny_run({"--directory", "other", "--checkpoint-tokens", "100"}),
                 {"bitlaw: --checkpoint-tokens: 100 is not between one step (256 tokens)"});
  for (const char* dry : {"--dry-run", "--json"})
    expect_refused(tiny_run({"--directory", "other", "--checkpoint-tokens", "5100", dry}),
                   {"bitlaw: --checkpoint-tokens: 5100 is the end of the run (5120 tokens in steps "
                    "of 256), where the final model is saved anyway; leave it out"});
  expect_refused(tiny_run({"--directory", "other", "--checkpoint-tokens", "abc"}),
                 {"bitlaw: --checkpoint-tokens must be a number, not \"abc\""});
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
