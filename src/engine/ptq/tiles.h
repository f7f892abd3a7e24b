// Rows of a weight matrix are rounded independently; a task rounds some of them through all
// columns. Their number affects only the speed, not the bits (linalg/product.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/parallel.h"

namespace bitlaw {

// Rows per tile: the fewest tiles that give every thread the same number, in multiples of the
// widest register tile of linalg (24 columns), at most 192: 192 rows of 4096 doubles still fit the
// caches of a core.
inline int64_t tile_rows(int64_t rows, const ThreadPool& pool) {
  constexpr int64_t kStep = 24, kMost = 192;
  const int64_t threads = pool.threads();
  const int64_t tiles = (rows + threads * kMost - 1) / (threads * kMost) * threads;
  const int64_t share = (rows + tiles - 1) / tiles;
  return std::clamp((share + kStep - 1) / kStep * kStep, kStep, kMost);
}

// task(begin, end, worker) for tiles that cover [0, rows).
template <class Task>
void for_row_tiles(int64_t rows, ThreadPool& pool, const Task& task) {
  const int64_t height = tile_rows(rows, pool);
  pool.parallel_for((rows + height - 1) / height, [&](int64_t tile, int worker) {
    task(tile * height, std::min(rows, (tile + 1) * height), worker);
  });
}

}  // namespace bitlaw
