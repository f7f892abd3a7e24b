// Other programs that do a part of the work: apt-get, python3.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bitlaw {

// Runs a command in `folder` with no input, with its messages in English and its output in `log`.
// Returns its exit status; 127 if there is no such command. Stopped, after the command was asked to
// end, if a stop is requested meanwhile.
int run_command(std::vector<std::string> command, const std::filesystem::path& folder,
                const std::filesystem::path& log);

}  // namespace bitlaw
