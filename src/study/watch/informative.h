// Which runs of a study should be made next: those that narrow the constants of the law most for what
// they cost, as `bitlaw design` chooses them (design/design.h) among the runs that are left.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "fit/fit.h"
#include "record/tidy_row.h"
#include "work/job.h"

namespace bitlaw {

// What is known of the run of each job before it starts. Relative paths of data count from
// `directory`. Error where data are missing.
std::vector<TidyRow> planned_rows(const std::vector<Job>& jobs,
                                  const std::filesystem::path& directory);

// Indices of training jobs whose runs are not in `rows` with a result, the most informative first; at
// most kChosenRuns. Among equal runs (seeds) the first of the file. `planned` is of the jobs. Before
// there are enough rows for a fit, by the constants that were published with the law. Error if the
// rows cannot be fitted together.
inline constexpr int64_t kChosenRuns = 8;
std::vector<size_t> most_informative(const std::vector<Job>& jobs,
                                     const std::vector<TidyRow>& planned,
                                     const std::vector<TidyRow>& rows, const std::string& law,
                                     const ParallelFor& parallel_for = {});

}  // namespace bitlaw
