// What calibration keeps of the inputs x_t, t = 1 .. n, of a weight matrix:
//
//   H = 2/n sum_t x_t x_t^T      in double; tr(E H E^T) / 2 is the squared error of the outputs, as
//                                a mean over the tokens and a sum over the outputs, of weights that
//                                are off by E
//   m_c = 1/n sum_t |x_tc|       what AWQ goes by
//
// Every sum runs over the tokens in their order, so that the bits depend neither on threads nor on
// how the tokens are handed over.
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
  int64_t dead_columns() const;  // inputs that were zero on all of the calibration text
};

class StatisticsCollector {
 public:
  explicit StatisticsCollector(int64_t columns);

  int64_t columns() const { return sums_.hessian.columns(); }

  // Inputs [tokens, columns], row-major.
  void add(const float* inputs, int64_t tokens, ThreadPool& pool);

  // The same in pieces that run at the same time: blocks 0 .. blocks()-1, each once, on the calling
  // threads; then count(tokens), once.
  int64_t blocks() const;
  void add_block(int64_t block, const float* inputs, int64_t tokens);
  void count(int64_t tokens) { sums_.tokens += tokens; }

  // Throws Error where an input was not finite.
  InputStatistics finish() &&;

 private:
  InputStatistics sums_;
  std::vector<double> magnitudes_;
};

}  // namespace bitlaw
