// Shared by linalg's tests: the instruction sets of this machine, and random operands.
#pragma once

#include <vector>

#include "base/random.h"
#include "linalg/kernel.h"
#include "linalg/matrix.h"

namespace bitlaw::linalg {

inline std::vector<Isa> isas() {
  std::vector<Isa> all;
  for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
    if (isa <= best_isa()) all.push_back(isa);
  }
  return all;
}

// Normal numbers of very unequal size, so that another order of summation shows in the bits.
inline Matrix random_matrix(int64_t rows, int64_t columns, uint64_t seed) {
  Matrix out(rows, columns);
  for (int64_t i = 0; i < rows * columns; ++i) {
    const auto index = static_cast<uint64_t>(i);
    out.row(0)[i] = random_normal(seed, 1, index) * std::exp2(8 * random_uniform(seed, 2, index));
  }
  return out;
}

inline std::vector<float> random_floats(int64_t count, uint64_t seed) {
  std::vector<float> out(static_cast<size_t>(count));
  for (size_t i = 0; i < out.size(); ++i)
    out[i] =
        static_cast<float>(random_normal(seed, 3, i) * std::exp2(8 * random_uniform(seed, 4, i)));
  return out;
}

}  // namespace bitlaw::linalg
