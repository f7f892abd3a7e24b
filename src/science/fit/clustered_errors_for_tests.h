// Errors that rows of one cluster share in part, for the tests of what such rows tell.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "solve/solver.h"

namespace bitlaw {

inline constexpr int kClusters = 8, kEach = 5;  // rows of each

inline std::vector<int> clusters() {
  std::vector<int> out;
  for (int i = 0; i < kClusters * kEach; ++i) out.push_back(i / kEach);
  return out;
}

// Of variance one, rho of it common to a cluster.
inline Vector clustered_errors(double rho, uint64_t seed) {
  Vector out(kClusters * kEach);
  for (long i = 0; i < out.size(); ++i) {
    out[i] = std::sqrt(rho) * random_normal(seed, 1, static_cast<uint64_t>(i / kEach)) +
             std::sqrt(1 - rho) * random_normal(seed, 2, static_cast<uint64_t>(i));
  }
  return out;
}

}  // namespace bitlaw
