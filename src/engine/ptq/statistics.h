// Calibration statistics of the inputs x_t, t = 1 .. n, of a weight matrix:
//
//   H = 2/n sum_t x_t x_t^T      in double; for weights that are off by E, tr(E H E^T) / 2 is the
//                                squared error of the outputs, averaged over tokens and summed over
//                                outputs
//   m_c = 1/n sum_t |x_tc|       used by AWQ
//
// Every sum runs over the tokens in order, so the bits depend neither on threads nor on how the
// tokens are split into calls.
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "linalg/matrix.h"

namespace bitlaw {

struct InputStatistics {
  int64_t tokens = 0;                 // n
  linalg::Matrix hessian;             // [in, in]
  std::vector<float> mean_magnitude;  // [in] m

  int64_t columns() const { return hessian.columns(); }
  int64_t dead_columns() const;  // inputs that were zero on the whole calibration text
};

class StatisticsCollector {
 public:
  explicit StatisticsCollector(int64_t columns);

  int64_t columns() const { return sums_.hessian.columns(); }

  // Inputs [tokens, columns], row-major.
  void add(const float* inputs, int64_t tokens, ThreadPool& pool);

  // The same in concurrent pieces: add_block() for blocks 0 .. blocks()-1, each once, on the
  // calling threads; then count(tokens), once.
  int64_t blocks() const;
  void add_block(int64_t block, const float* inputs, int64_t tokens);
  void count(int64_t tokens) { sums_.tokens += tokens; }

  // Error if an input was not finite.
  InputStatistics finish() &&;

 private:
  InputStatistics sums_;
  std::vector<double> magnitudes_;
};

}  // namespace bitlaw
