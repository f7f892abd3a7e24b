// `bitlaw --progress json`: progress for other programs, beside the same results.
#include <gtest/gtest.h>

#include <sstream>
#include <utility>

#include "cli/world.h"

namespace bitlaw {
namespace {

using ProgressLines = World;

std::vector<Json> json_lines_of(const std::string& text) {
  std::vector<Json> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with('{')) out.push_back(parse_json(line, "a line of progress"));
  return out;
}

std::vector<std::string> shown_run(std::vector<std::string> further) {
  std::vector<std::string> arguments = tiny_run(std::move(further));
  std::erase(arguments, "--quiet");
  return arguments;
}

std::vector<std::string> with_progress(std::vector<std::string> arguments, const std::string& how) {
  arguments.insert(arguments.begin(), {"--progress", how});
  return arguments;
}

TEST_F(ProgressLines, OfTrainingSayWhereItIs) {
  const Outcome plain = run(shown_run({"--directory", "a", "--json"}));
  const Outcome out = run(with_progress(shown_run({"--directory", "b", "--json"}), "json"));
  ASSERT_EQ(out.status, 0) << out.err;
  EXPECT_EQ(out.json()["weights_hash"], plain.json()["weights_hash"]);
  EXPECT_TRUE(json_lines_of(plain.err).empty());
  const std::vector<Json> lines = json_lines_of(out.err);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines.front()["step"], 0);
  EXPECT_EQ(lines.back()["finished"], true);
  EXPECT_EQ(lines.back()["step"], lines.back()["steps"]);
  EXPECT_EQ(lines.back()["tokens"], out.json()["tokens"]);
  EXPECT_EQ(lines.back()["directory"], out.json()["directory"]);
}

TEST_F(ProgressLines, GoToADescriptor) {
  std::string words;
  for (const std::string& word : shown_run({"--directory", "b"})) words += " '" + word + "'";
  const Outcome out =
      run_shell("\"$BITLAW\" --progress json:7" + words + " 7>&1 >/dev/null", around_);
  ASSERT_EQ(out.status, 0) << out.err;
  EXPECT_TRUE(json_lines_of(out.err).empty());
  EXPECT_GE(json_lines_of(out.out).size(), 2u);
}

// The state is saved, and the same command goes on to the same weights.
TEST_F(ProgressLines, AReaderThatLeavesStopsTheRun) {
  std::string words;
  for (const std::string& word : shown_run({"train.tokens=200000", "--json"}))
    words += " '" + word + "'";
  const Outcome stopped = run_shell("(\"$BITLAW\" --progress json:7" + words +
                                        " 7>&1 >out; echo $? >status) | head -1; cat status",
                                    around_);
  EXPECT_NE(stopped.out.find("\n130\n"), std::string::npos) << stopped.out << stopped.err;
  EXPECT_NE(stopped.out.find("\"step\":0"), std::string::npos) << stopped.out;
  const Outcome resumed = run(shown_run({"train.tokens=200000", "--json"}));
  const Outcome whole = run(shown_run({"train.tokens=200000", "--json", "--directory", "b"}));
  EXPECT_EQ(resumed.json()["weights_hash"], whole.json()["weights_hash"]);
  EXPECT_EQ(resumed.json()["was_there"], false);
}

TEST_F(ProgressLines, OfQuantizationSayWhichRun) {
  const Outcome out = run(with_progress({"quantize", run_, "--method", "rtn", "--bits", "3,4",
                                         "--evaluation-tokens", "512", "--threads", "1", "--json"},
                                        "json"));
  ASSERT_EQ(out.status, 0) << out.err;
  const std::vector<Json> lines = json_lines_of(out.err);
  ASSERT_GE(lines.size(), 1u) << out.err;
  EXPECT_EQ(lines.back()["run"], run_);
  EXPECT_EQ(lines.back()["runs"], 1);
}

TEST_F(ProgressLines, OtherWordsAreRefused) {
  for (const char* how : {"xml", "json:", "json:x", "json:-1", "json:3.5"})
    expect_refused(with_progress({"laws"}, how), {how, "expected json"});
  expect_refused(with_progress({"laws"}, "json:99"), {"descriptor 99 is not open"});
  expect_refused(with_progress({"laws", "--jsn"}, "json"), {"did you mean '--json'"});
}

}  // namespace
}  // namespace bitlaw
