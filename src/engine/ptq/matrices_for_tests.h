// Weights, Hessians and schemes shared by the tests of ptq.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "base/random.h"
#include "formats/weight_scheme.h"
#include "ptq/statistics.h"

namespace bitlaw {

inline std::vector<float> random_weights(int64_t rows, int64_t columns, uint64_t seed) {
  std::vector<float> weights(static_cast<size_t>(rows * columns));
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(0.02 * random_normal(seed, 1, i));
  return weights;
}

// Inputs [samples, columns] that, like activations, are correlated (through a few common factors)
// and of uneven size.
inline std::vector<float> random_inputs(int64_t samples, int64_t columns, uint64_t seed) {
  const int64_t factors = columns / 4 + 1;
  std::vector<float> inputs(static_cast<size_t>(samples * columns));
  std::vector<double> common(static_cast<size_t>(factors)),
      mix(static_cast<size_t>(factors * columns));
  for (size_t i = 0; i < mix.size(); ++i) mix[i] = random_normal(seed, 2, i);
  for (int64_t t = 0; t < samples; ++t) {
    for (int64_t f = 0; f < factors; ++f)
      common[static_cast<size_t>(f)] =
          random_normal(seed, 3, static_cast<uint64_t>(t * factors + f));
    for (int64_t c = 0; c < columns; ++c) {
      const auto at = static_cast<uint64_t>(t * columns + c);
      double x = 0.5 * random_normal(seed, 4, at);
      for (int64_t f = 0; f < factors; ++f)
        x += common[static_cast<size_t>(f)] * mix[static_cast<size_t>(f * columns + c)];
      x *= 0.25 + random_uniform(seed, 5, static_cast<uint64_t>(c));
      inputs[at] = static_cast<float>(x);
    }
  }
  return inputs;
}

inline InputStatistics random_statistics(int64_t columns, uint64_t seed, int64_t samples = 0) {
  ThreadPool pool(1);
  const int64_t n = samples > 0 ? samples : 4 * columns;
  StatisticsCollector collector(columns);
  collector.add(random_inputs(n, columns, seed).data(), n, pool);
  return std::move(collector).finish();
}

inline linalg::Matrix random_hessian(int64_t columns, uint64_t seed, int64_t samples = 0) {
  return random_statistics(columns, seed, samples).hessian;
}

inline linalg::Matrix identity(int64_t n) {
  linalg::Matrix out(n, n);
  for (int64_t k = 0; k < n; ++k) out(k, k) = 1;
  return out;
}

inline linalg::Matrix damped(const linalg::Matrix& hessian, double damping) {
  const int64_t n = hessian.columns();
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += hessian(k, k);
  linalg::Matrix out = hessian;
  for (int64_t k = 0; k < n; ++k) out(k, k) += damping * sum / static_cast<double>(n);
  return out;
}

inline void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(std::bit_cast<uint32_t>(a[i]), std::bit_cast<uint32_t>(b[i])) << "entry " << i;
}

struct MatrixCase {
  int64_t rows, columns;
  int group;
};
// One row, one column, below and beyond a tile (192 rows), a panel (256 columns) and its blocks
// (64, 16), short last groups, a group wider than the row.
inline const std::vector<MatrixCase> kMatrixCases{
    {1, 1, 0},    {3, 7, 0},    {64, 128, 0},   {65, 129, 0}, {200, 300, 0}, {5, 40, 1},
    {7, 100, 32}, {66, 96, 32}, {70, 200, 128}, {9, 600, 48}, {8, 30, 64},   {5, 700, 300}};

// Every kind of scheme: symmetric, with a zero point, with a searched range, with every scale
// format.
inline std::vector<WeightScheme> weight_schemes(int group) {
  std::vector<WeightScheme> out;
  for (const char* name : {"int2", "int3", "int4", "int8", "e2m0", "e2m1", "e3m2", "e4m3",
                           "int2-asym", "int4-asym", "int8-asym", "int3-clip", "int4-asym-clip",
                           "e2m1-e8m0", "int4-e8m0", "e2m1-e4m3", "e2m1-clip"}) {
    out.push_back(parse_weight_scheme(name, group));
  }
  return out;
}

}  // namespace bitlaw
