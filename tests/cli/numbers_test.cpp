// Whole numbers that are too large: one sentence with the option, its value and its range, where
// they once wrapped around, aborted, or took all memory.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/world.h"

namespace bitlaw {
namespace {

using Numbers = World;

struct Option {
  std::vector<std::string> command;  // the option's value comes next
  const char* name;                  // as the sentence calls it
  const char* range;
};

// Beyond int, beyond what can be allocated, and near the end of int64_t.
constexpr const char* kTooLarge[] = {"3567587328", "1e16", "9e18"};

TEST_F(Numbers, TooLargeForAFitAreRefused) {
  const std::vector<std::string> fit{"fit", "table.csv", "--law", "chinchilla"},
      compare{"compare", "table.csv", "--laws", "chinchilla,gadre"},
      design{"design", "table.csv", "--law", "chinchilla", "--shrink", "alpha"};
  const auto with = [](std::vector<std::string> command, const char* option) {
    command.push_back(option);
    return command;
  };
  const std::vector<Option> options{
      {with(fit, "--starts"), "starts = ", "1 to 100000"},
      {with(fit, "--draws"), "draws = ", "0 to 1000000"},
      {with(compare, "--starts"), "starts = ", "1 to 100000"},
      {with(compare, "--folds"), "folds = ", "2 to 1000000"},
      {with(design, "--starts"), "starts = ", "1 to 100000"},
      {with(design, "--runs"), "runs = ", "1 to 1000000"},
      {{"simulate", "--law", "chinchilla", "--replicates"}, "replicates = ", "1 to 1000000"}};
  for (const Option& option : options) {
    for (const char* value : kTooLarge) {
      std::vector<std::string> command = option.command;
      command.push_back(value);
      expect_refused(command, {option.name, option.range});
    }
  }
  expect_refused({"simulate", "--law", "kumar", "--replicates", "1000000"},
                 {"replicates = 1000000", "rows", "at most 1e+07"});
}

TEST_F(Numbers, TooLargeForARunAreRefused) {
  const std::vector<Option> options{{{"train.tokens"}, "train.tokens = ", "1 to 10000000"},
                                    {{"train.batch_tokens"}, "train.batch_tokens = ", "0 to 10737"},
                                    {{"train.lanes"}, "train.lanes = ", "1 to 1024"},
                                    {{"train.validation_tokens"}, "train.validation_tokens = ", ""},
                                    {{"model.width"}, "model.width = ", "2 to 65536"},
                                    {{"model.vocabulary"}, "model.vocabulary = ", "to 65536"}};
  for (const Option& option : options) {
    for (const char* value : {"1e16", "9e18", "9223372036854775807"}) {
      const std::string setting = fmt::format("{}={}", option.command[0], value);
      expect_refused(tiny_run({setting, "--directory", "new"}), {option.name, option.range});
    }
  }
  expect_refused(tiny_run({"model.width=65536", "model.layers=1024", "--directory", "new"}),
                 {"model.width = 65536, model.layers = 1024", "this machine has"});
  expect_refused(tiny_run({"model.width=65536", "model.layers=1024", "--dry-run"}),
                 {"model.width = 65536, model.layers = 1024", "this machine has"});
  expect_refused({"eval", run_, "--tokens", "9e18"}, {"--tokens = ", "0 to 1000000000000000"});
}

TEST_F(Numbers, OfThreadsAreRefusedBeforeAnyIsStarted) {
  const std::vector<std::vector<std::string>> commands{{"fit", "table.csv"},
                                                       {"compare", "table.csv"},
                                                       {"design", "table.csv"},
                                                       {"eval", run_},
                                                       {"quantize", run_}};
  for (std::vector<std::string> command : commands) {
    for (const char* value : {"0", "-1", "1.5", "5000", "3567587328", "9e18"}) {
      std::vector<std::string> with = command;
      with.insert(with.end(), {"--threads", value});
      expect_refused(with, {"--threads: expected a whole number from 1 to 4096", value});
    }
  }
}

TEST_F(Numbers, OfPartsOfAKeyAreLimited) {
  std::string key;
  for (int i = 0; i < 20000; ++i) key += "a.";
  write_text(around_.directory / "deep.toml", key + "a = 1\n");
  expect_refused({"train", "deep.toml"}, {"deep.toml: is nested more than 200 levels deep"});
  expect_refused({"sweep", "deep.toml", "--status"}, {"deep.toml: is nested more than 200"});
  expect_refused({"train", key + "a=1"}, {"more than 200 levels deep"});
  write_text(around_.directory / "deep.json", std::string(20000, '[') + std::string(20000, ']'));
  expect_refused({"train", "deep.json"}, {"deep.json: is nested more than 200"});
  expect_refused({"plan", "--fit", "deep.json"}, {"deep.json: is nested more than 200"});
  write_text(around_.directory / run_ / "metrics.jsonl",
             std::string(20000, '[') + std::string(20000, ']') + "\n");
  EXPECT_EQ(run({"runs", "runs", "--along"}).status, 0);
}

}  // namespace
}  // namespace bitlaw
