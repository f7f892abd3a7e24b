// How long a directory of runs took, on which machines: effort.json in it, a session for each call
// of `bitlaw sweep` that ran something.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace bitlaw {

// The processor as Linux names it; empty if it does not.
std::string processor_name();

// Adds a session of so many seconds on this machine: .seconds, .processor, .cores.
void add_effort(const std::filesystem::path& runs, double seconds);

// The sessions, oldest first; an empty array if the file is missing or damaged.
Json read_effort(const std::filesystem::path& runs);

}  // namespace bitlaw
