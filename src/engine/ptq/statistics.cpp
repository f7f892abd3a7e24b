#include "ptq/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "linalg/product.h"

namespace bitlaw {
namespace {

constexpr int64_t kBlockColumns = 96;

}  // namespace

int64_t InputStatistics::dead_columns() const {
  int64_t dead = 0;
  for (int64_t c = 0; c < columns(); ++c) dead += hessian(c, c) == 0;
  return dead;
}

StatisticsCollector::StatisticsCollector(int64_t columns)
    : sums_{.tokens = 0, .hessian = linalg::Matrix(columns, columns), .mean_magnitude = {}},
      magnitudes_(static_cast<size_t>(columns)) {
  BITLAW_CHECK(columns > 0);
}

int64_t StatisticsCollector::blocks() const {
  return (columns() + kBlockColumns - 1) / kBlockColumns;
}

void StatisticsCollector::add_block(int64_t block, const float* inputs, int64_t tokens) {
  const int64_t begin = block * kBlockColumns, end = std::min(columns(), begin + kBlockColumns);
  linalg::add_gram(inputs, tokens, begin, end, sums_.hessian);
  for (int64_t t = 0; t < tokens; ++t) {
    const float* x = inputs + t * columns();
    for (int64_t c = begin; c < end; ++c) magnitudes_[static_cast<size_t>(c)] += std::fabs(x[c]);
  }
}

void StatisticsCollector::add(const float* inputs, int64_t tokens, ThreadPool& pool) {
  pool.parallel_for(blocks(), [&](int64_t block, int) { add_block(block, inputs, tokens); });
  count(tokens);
}

InputStatistics StatisticsCollector::finish() && {
  BITLAW_CHECK(sums_.tokens > 0);
  const auto n = static_cast<double>(sums_.tokens);
  linalg::Matrix& H = sums_.hessian;
  for (int64_t i = 0; i < columns(); ++i) {
    for (int64_t j = i; j < columns(); ++j) H(i, j) *= 2 / n;
  }
  linalg::mirror(H);
  for (int64_t c = 0; c < columns(); ++c) {
    const double sum = magnitudes_[static_cast<size_t>(c)];
    if (!std::isfinite(sum) || !std::isfinite(H(c, c))) {
      throw Error(
          "the calibration inputs of a layer are not finite; the checkpoint is broken or its run "
          "diverged");
    }
    sums_.mean_magnitude.push_back(static_cast<float>(sum / n));
  }
  return std::move(sums_);
}

}  // namespace bitlaw
