// A study of a few seconds on generated English, made by the program itself in a temporary folder,
// and what it has made in a form that two ways of making it can be compared in.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/program.h"

namespace bitlaw {

class SmallStudy {
 public:
  // The text of its study file, which is written to `study.toml`.
  explicit SmallStudy(const std::string& toml);

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  const Surroundings& around() const { return around_; }

  // Runs the program with --json and expects success.
  Json json_of(std::vector<std::string> arguments) const;
  // The data set `data`. Either with a vocabulary that is trained, or of bytes.
  void prepare(int vocabulary = 0) const;

 private:
  Folder folder_;
  Surroundings around_;
};

// Everything below a directory of runs that must not depend on how often its study was interrupted,
// nor on who made it: every path, with its content. Times are left out of records and metrics, and
// so is what is kept of one session: logs, locks, the time taken, the index.
std::map<std::string, std::string> made_in(const std::filesystem::path& runs);

// What differs, one path a line; "" if nothing does.
std::string what_differs(const std::map<std::string, std::string>& made,
                         const std::map<std::string, std::string>& expected);

}  // namespace bitlaw
