#include "ptq/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptq/matrices_for_tests.h"

namespace bitlaw {
namespace {

// However the tokens are handed over, the sums are those of a plain loop over them.
TEST(Statistics, AreSumsInTheOrderOfTheTokens) {
  const int64_t tokens = 37, columns = 130;  // beyond a block of 96 columns
  const std::vector<float> x = random_inputs(tokens, columns, 21);
  linalg::Matrix H(columns, columns);
  std::vector<double> magnitude(static_cast<size_t>(columns));
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < columns; ++i) {
      const double a = x[static_cast<size_t>(t * columns + i)];
      magnitude[static_cast<size_t>(i)] += std::fabs(a);
      for (int64_t j = 0; j < columns; ++j)
        H(i, j) += a * static_cast<double>(x[static_cast<size_t>(t * columns + j)]);
    }
  }
  const auto n = static_cast<double>(tokens);
  for (const int threads : {1, 3}) {
    for (const int64_t step : {1, 10, 37}) {
      ThreadPool pool(threads);
      StatisticsCollector collector(columns);
      for (int64_t t = 0; t < tokens; t += step)
        collector.add(x.data() + t * columns, std::min(step, tokens - t), pool);
      const InputStatistics out = std::move(collector).finish();
      EXPECT_EQ(out.tokens, tokens);
      EXPECT_EQ(out.dead_columns(), 0);
      for (int64_t i = 0; i < columns; ++i) {
        ASSERT_EQ(out.mean_magnitude[static_cast<size_t>(i)],
                  static_cast<float>(magnitude[static_cast<size_t>(i)] / n));
        for (int64_t j = 0; j < columns; ++j) ASSERT_EQ(out.hessian(i, j), H(i, j) * (2 / n));
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
