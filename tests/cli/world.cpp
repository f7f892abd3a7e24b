#include "cli/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "cli/english.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

void must_succeed(const Outcome& outcome) {
  if (outcome.status != 0) throw Error("the world cannot be made: " + outcome.err);
}

const fs::path& made_world() {
  static const Folder folder;
  static const bool made = [] {
    for (uint64_t i = 0; i < 12; ++i) {
      write_text(folder.path() / fmt::format("text/{:02}.txt", i), English(i).document(40));
    }
    write_text(folder.path() / "table.csv", table_csv("N,D,loss", 20, 1e-3));
    const Surroundings here{.directory = folder.path()};
    must_succeed(run_bitlaw(
        {"data", "prepare", "text", "--to", "data", "--tokenizer", "byte", "--quiet"}, here));
    must_succeed(run_bitlaw(tiny_run(), here));
    return true;
  }();
  static_cast<void>(made);
  return folder.path();
}

}  // namespace

std::vector<std::string> tiny_run(std::vector<std::string> further) {
  std::vector<std::string> arguments{"train",
                                     "data.path=data",
                                     "model.width=32",
                                     "model.heads=2",
                                     "model.sequence=32",
                                     "train.batch_tokens=256",
                                     "train.tokens=5120",
                                     "--quiet",
                                     "--threads",
                                     "1"};
  arguments.insert(arguments.end(), further.begin(), further.end());
  return arguments;
}

World::World() {
  copy_tree(made_world(), path("world"));
  around_.directory = path("world");
  for (const auto& entry : fs::directory_iterator(around_.directory / "runs"))
    run_ = "runs/" + entry.path().filename().string();
}

Json World::json_of(std::vector<std::string> arguments) {
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return outcome.status == 0 ? outcome.json() : Json();
}

void World::expect_refused(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& parts) {
  std::string command = "bitlaw";
  for (const std::string& argument : arguments) command += " " + argument;
  SCOPED_TRACE(command);
  const Snapshot before = snapshot_of(folder_.path());
  const Outcome outcome = run(arguments);
  EXPECT_TRUE(outcome.status == 1 || outcome.status == 2) << outcome.status;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("bitlaw: ")) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_TRUE(outcome.err.ends_with('\n'));
  for (const std::string& part : parts)
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " is not in: " << outcome.err;
  EXPECT_EQ(differences(before, snapshot_of(folder_.path())), "");
}

std::string table_csv(const std::string& header, int rows, double noise) {
  std::string text = header + "\n";
  for (int i = 0; i < rows; ++i) {
    const double N = 1e6 * std::pow(3.0, i % 5), D = 1e8 * std::pow(4.0, i / 5);
    const double loss = kE + kA / std::pow(N, kAlpha) + kB / std::pow(D, kBeta);
    text += fmt::format("{},{},{}\n", N, D,
                        loss * (1 + noise * random_normal(5, 0, static_cast<uint64_t>(i))));
  }
  return text;
}

}  // namespace bitlaw
