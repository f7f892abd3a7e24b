// What the figures and sentences of a report ask of a tidy row.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/number.h"
#include "laws/observation.h"
#include "record/tidy_row.h"

namespace bitlaw {

// NaN if it does not apply.
inline double whole(const std::optional<int64_t>& value) {
  return value ? static_cast<double>(*value) : kNoNumber;
}

// Entries of the weights that share a scale in training ("group32"); NaN if they are not in groups.
inline double training_group(const TidyRow& row) {
  constexpr std::string_view kGroup = "group";
  if (!std::string_view(row.granularity_w).starts_with(kGroup)) return kNoNumber;
  const auto size = parse_whole(std::string_view(row.granularity_w).substr(kGroup.size()));
  return size ? *size : kNoNumber;
}

inline bool all_bf16(const TidyRow& row) {
  return row.P_w >= 16 && row.P_a >= 16 && row.P_kv >= 16;
}

// Loss of a run minus that of its reference run, where a table was read with gaps (table/gaps.h); NaN
// otherwise.
inline double gap_of(const TidyRow& row) {
  return row.is_run() ? row.delta : kNoNumber;
}

// N, D and the group of the runs.
inline std::vector<Observation> sizes_of(const std::vector<TidyRow>& rows) {
  std::vector<Observation> runs;
  for (const TidyRow& row : rows) {
    Observation run;
    run.params = whole(row.N), run.tokens = whole(row.D);
    run.group = training_group(row);
    if (row.is_run() && run.params > 0 && run.tokens > 0) runs.push_back(run);
  }
  return runs;
}

}  // namespace bitlaw
