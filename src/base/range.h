// A whole number that an option may have, from one end to another.
#pragma once

#include <cstdint>
#include <string_view>

namespace bitlaw {

// More than anybody trains on; sums and products of a few such numbers stay whole numbers.
inline constexpr int64_t kMostTokens = 1'000'000'000'000'000;
inline constexpr int64_t kMostThreads = 4096;
inline constexpr int64_t kMostStarts = 100'000;  // of a fit

// Error, "starts = 0: expected 1 to 100000", if it is outside.
void require_range(std::string_view key, int64_t value, int64_t least, int64_t largest);

}  // namespace bitlaw
