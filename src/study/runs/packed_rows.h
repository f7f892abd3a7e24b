// Tidy rows as bytes, every bit of them: how the index keeps the rows of a run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/tidy_row.h"

namespace bitlaw {

std::string pack_rows(const std::vector<TidyRow>& rows);

// Empty if the bytes are not whole rows.
std::optional<std::vector<TidyRow>> unpack_rows(std::string_view bytes);

}  // namespace bitlaw
