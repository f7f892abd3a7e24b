// The rotation of formats/rotation.h by its definition, for tests.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace bitlaw {

// R's entry: (-1)^(bits that i and j share) / sqrt(width) within a block.
inline double rotation_entry(int64_t i, int64_t j, int64_t width) {
  if (i / width != j / width) return 0;
  const int shared = std::popcount(static_cast<uint64_t>((i % width) & (j % width)));
  return (shared % 2 == 0 ? 1 : -1) / std::sqrt(static_cast<double>(width));
}

}  // namespace bitlaw
