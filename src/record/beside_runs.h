// What a directory of runs holds beside its runs. Whoever writes one of these takes its name from
// here.
#pragma once

#include <filesystem>

namespace bitlaw {

inline constexpr const char* kConfigurationsFolder = "cells";  // a file for each job of a sweep
inline constexpr const char* kLogsFolder = "logs";             // what the jobs print
inline constexpr const char* kDecisionFile = "study.json";     // tokens that fit into --minutes
inline constexpr const char* kSpeedsFile = "speeds.json";      // of machines (sweep/speeds.h)
inline constexpr const char* kScriptFile = "jobs.sh";          // of the launcher `script`
inline constexpr const char* kSlurmFile = "slurm.sh";          // of the launcher `slurm`
inline constexpr const char* kCondorFile = "condor.sub";       // of the launcher `condor`
inline constexpr const char* kEffortFile = "effort.json";      // time taken, and where
inline constexpr const char* kIndexFile = "index.sqlite";      // of the rows; may be deleted
inline constexpr const char* kTrunksFolder = "trunks";   // states that runs share (train/trunk.h)
inline constexpr const char* kSweepLock = "sweep.lock";  // of version 0.2
inline constexpr const char* kJobsFile = "jobs.json";    // what workers take (work/jobs_file.h)
inline constexpr const char* kClaimsFolder = "claims";   // who works on what (work/claim.h)
inline constexpr const char* kFailuresFolder = "failures";  // why jobs failed (work/failure.h)

// Whether a path has one of these names and is no run: RUNS/* includes them, but means the runs.
bool is_beside_runs(const std::filesystem::path& place);

}  // namespace bitlaw
