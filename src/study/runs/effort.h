// Time that a directory of runs took, and on which machines: its effort.json, with a session for
// each `bitlaw sweep` that ran something.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace bitlaw {

// The processor as Linux names it; empty if it does not.
std::string processor_name();

// Appends a session of `seconds` on this machine: .seconds, .processor, .cores.
void add_effort(const std::filesystem::path& runs, double seconds);

// The sessions, oldest first; an empty array if the file is missing or damaged.
Json read_effort(const std::filesystem::path& runs);

}  // namespace bitlaw
