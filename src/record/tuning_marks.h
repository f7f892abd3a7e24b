// Which runs of a directory are runs of tuning: RUNS/tuning.json. Their hyperparameters are spread on
// purpose, so tables mark them (column `tuning`) and fits leave them out.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace bitlaw {

inline constexpr const char* kTuningFile = "tuning.json";

// Adds names of runs.
void mark_as_tuning(const std::filesystem::path& runs, const std::vector<std::string>& names);

// Empty without the file. Error if it is damaged.
std::set<std::string> tuning_runs(const std::filesystem::path& runs);

}  // namespace bitlaw
