// What killed processes leave in the directory of a run that has its result: the state that it would
// have resumed from, and files that were being written.
#pragma once

#include <filesystem>

namespace bitlaw {

// Where the state is while a run is trained.
std::filesystem::path state_directory(const std::filesystem::path& run);

// Removes them. Nothing happens without a result, or while a process works on the run; errors are
// ignored.
void remove_leftovers_of_run(const std::filesystem::path& run);

}  // namespace bitlaw
