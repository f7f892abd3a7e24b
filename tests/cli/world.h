// A folder with one of everything, created once per process by the program itself and copied for
// each test:
//
//   text/      twelve short documents        data/   their byte-level data set
//   runs/RUN   a run of a few steps          table.csv   losses of a known law, with a little noise
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"

namespace bitlaw {

// The arguments of a run that takes only a moment.
std::vector<std::string> tiny_run(std::vector<std::string> further = {});

class World : public testing::Test {
 protected:
  World();

  Outcome run(const std::vector<std::string>& arguments) { return run_bitlaw(arguments, around_); }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  // Runs and expects success; the standard output as JSON.
  Json json_of(std::vector<std::string> arguments);
  // Expects one sentence on standard error that contains all of `parts`, a non-zero status, nothing
  // on standard output, and no file changed, created or removed.
  void expect_refused(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& parts);

  Folder folder_;
  Surroundings around_;
  std::string run_;  // "runs/0123456789abcdef"
};

// The constants of table.csv: Hoffmann et al. (2022), approach 3.
inline constexpr double kE = 1.69, kA = 406.4, kB = 410.7, kAlpha = 0.34, kBeta = 0.28;
std::string table_csv(const std::string& header, int rows, double noise);

}  // namespace bitlaw
