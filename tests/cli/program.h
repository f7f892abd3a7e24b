// Runs the bitlaw program as people and scripts do, in a temporary folder, and captures its exit
// status, both output streams, and every file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitlaw {

// A temporary folder, removed with its contents by the destructor.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Surroundings {
  std::filesystem::path directory;  // where it runs
  std::map<std::string, std::string>
      variables;                         // in the environment, instead of others of the name
  std::string input;                     // standard input
  std::optional<uint64_t> largest_file;  // bytes: a limit on file sizes simulates a full disk
  bool no_privileges = false;            // directory permissions apply even to the superuser
  std::string output_to;                 // another place for standard output, such as /dev/full
};

struct Outcome {
  int status = -1;  // exit status; 128 + the signal
  std::string out, err;

  Json json() const;  // of `out`; fails the test and returns null if it is not one document
};

// Kills the program after two minutes (status 142).
Outcome run_bitlaw(const std::vector<std::string>& arguments, const Surroundings& around);

// A command of the shell in which "$BITLAW" is the program.
Outcome run_shell(const std::string& command, const Surroundings& around);

// Where it is.
std::string program_path();

// Starts it and does not wait. What it says on standard error goes to the file `errors`.
pid_t start_bitlaw(const std::vector<std::string>& arguments, const Surroundings& around,
                   const std::filesystem::path& errors = "/dev/null");
// The processes that it has started, and those that they have, and so on.
std::vector<pid_t> descendants_of(pid_t pid);
// Kills it and all processes that it started, at once, and waits until they are gone.
void kill_with_children(pid_t pid);
bool has_ended(pid_t pid);

// Status of a program whose surroundings could not be set up, for example without the right to drop
// privileges.
inline constexpr int kNoSurroundings = 125;

// Every path below `folder`, with the hash of its content (files) or a word (everything else).
// Indexes of runs are left out: they are copies of the directories' content, rewritten at every
// use.
using Snapshot = std::map<std::string, std::string>;
Snapshot snapshot_of(const std::filesystem::path& folder);
// The paths that differ or are in only one of them.
std::string differences(const Snapshot& before, const Snapshot& after);

void write_text(const std::filesystem::path& path, const std::string& text);
// Copies of `from` below `to`, which must not exist.
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace bitlaw
