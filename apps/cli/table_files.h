// The files that somebody names as a table of runs, read into one table.
#pragma once

#include <string>
#include <vector>

#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw::cli {

struct TableFiles {
  RawTable raw;
  std::string hash;  // of the text; of a directory of runs, of the CSV that `bitlaw runs` writes
};

// Each name is a file (also compressed by gzip or zstd), - for standard input, a pattern such as
// 'runs/*.csv', a directory of runs, or a directory with a table or a JSON object a run in each file.
// Several become one table (table/several_tables.h). Prints to standard error which runs were left out.
TableFiles read_table_files(const std::vector<std::string>& names, const std::string& format);

// A directory of runs of ours, or an empty one: not one of files that are tables.
bool is_directory_of_runs(const std::string& path);

// The names in one sentence: "a.csv, b.csv", "runs/*.json".
std::string name_of(const std::vector<std::string>& names);

// Error if `out` is one of them.
void require_other_file(const char* option, const std::string& out,
                        const std::vector<std::string>& names);

}  // namespace bitlaw::cli
