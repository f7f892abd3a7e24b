// The files of one run directory, and how to find them:
//
//   run.json        what was asked for: the resolved configuration, sizes, data hash, build
//   metrics.jsonl   one line per logged step
//   result.json     the outcome, once there is one: "finished" or "diverged"
//   checkpoints/    final/ (Hugging Face layout) and state/ (for resuming)
//   ptq/*.json      one file per post-training quantization cell
//
// The directories are the truth; nothing else has to be kept for a study to be complete.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitlaw {

// Directories below `runs` that hold a run.json, in the order of their names. Error where `runs` is
// not a directory.
std::vector<std::filesystem::path> find_run_directories(const std::filesystem::path& runs);

// "finished", "diverged", or "started" while there is no result.
std::string run_status(const std::filesystem::path& run);

// The tidy rows of one run: first the run itself (method "none"), then one per PTQ cell. Columns
// are `tidy_columns()`; a value that does not apply is null. Error where run.json is damaged; a
// damaged cell is left out and named in `problems`.
Json tidy_rows(const std::filesystem::path& run, std::vector<std::string>& problems);

struct TidyColumn {
  const char* name;
  const char* type;  // "TEXT", "REAL" or "INTEGER"
  const char* help;
};
const std::vector<TidyColumn>& tidy_columns();

}  // namespace bitlaw
