// What the figures and sentences of a report ask of a tidy row.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/number.h"
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

}  // namespace bitlaw
