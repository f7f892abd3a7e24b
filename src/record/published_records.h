// The records of the runs of a published table, in one file beside it: results/study.csv has
// results/study.runs.jsonl, with a line for each run. So a row can be made again, and checked, where
// the run directories are not.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "record/result.h"
#include "record/run.h"

namespace bitlaw {

struct PublishedRecord {
  RunRecord run;
  std::optional<ResultRecord> result;
};

// The file that goes with a table; it need not exist.
std::filesystem::path published_records_file(const std::filesystem::path& table);

// A line of it, without its end, from the record and the result of a run. Error if one is damaged.
std::string published_line(const std::filesystem::path& run);

// The record of a run by its name; empty if the file has none. Error for a file that cannot be read,
// and if its line is damaged.
std::optional<PublishedRecord> find_published_record(const std::filesystem::path& file,
                                                     const std::string& name);
// The same for the bytes of a file; `where` is its name in errors.
std::optional<PublishedRecord> find_published_record(std::string_view text, const std::string& name,
                                                     const std::string& where);

}  // namespace bitlaw
