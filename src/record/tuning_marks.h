// Which runs of a directory are runs of tuning. Their hyperparameters are spread on purpose, so tables
// mark them (column `tuning`) and fits leave them out.
//
//   RUNS/tuning-marks/HASH.json   names of runs, .runs[]; HASH is that of the names
//   RUNS/tuning.json              the same in older directories, which is only read
//
// Every fleet adds a file of its own and changes none, so that several may tune in one directory, on
// any machines and shared disks, without a lock: what they mark is what all files name.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace bitlaw {

inline constexpr const char* kTuningFile = "tuning.json";
inline constexpr const char* kTuningFolder = "tuning-marks";

// Adds names of runs.
void mark_as_tuning(const std::filesystem::path& runs, const std::vector<std::string>& names);

// Empty if nothing is marked. Error if a file is damaged.
std::set<std::string> tuning_runs(const std::filesystem::path& runs);

}  // namespace bitlaw
