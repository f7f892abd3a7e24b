#include "ptq/hessian_error.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptq/matrices_for_tests.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

TEST(HessianError, IsTheSquaredErrorOfTheOutputs) {
  ThreadPool pool(2);
  // Below and beyond a panel of 96 columns.
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{70, 33}, {30, 400}}) {
    const int64_t samples = 50;
    const std::vector<float> weights = random_weights(rows, columns, 14);
    const std::vector<float> inputs = random_inputs(samples, columns, 14);
    StatisticsCollector collector(columns);
    collector.add(inputs.data(), samples, pool);
    const InputStatistics statistics = std::move(collector).finish();
    const QuantizedMatrix rtn =
        quantize_rtn(parse_weight_scheme("int3"), weights.data(), rows, columns, pool);
    double squared = 0, magnitude = 0;
    for (int64_t t = 0; t < samples; ++t) {
      for (int64_t r = 0; r < rows; ++r) {
        double output = 0, absolute = 0;
        for (int64_t c = 0; c < columns; ++c) {
          const double error =
              static_cast<double>(rtn.value(r, c)) - weights[static_cast<size_t>(r * columns + c)];
          const double term = error * inputs[static_cast<size_t>(t * columns + c)];
          output += term;
          absolute += std::fabs(term);
        }
        squared += output * output;
        magnitude += absolute * absolute;
      }
    }
    // Both are sums in double over samples, columns (twice) and rows of products whose magnitudes
    // add up to this.
    const double per_sample = 2.0 / static_cast<double>(samples);
    const auto terms = static_cast<double>(samples + 2 * columns + rows + 4);
    EXPECT_NEAR(hessian_error(rtn, weights.data(), statistics.hessian, pool), per_sample * squared,
                2 * terms * 0x1p-53 * per_sample * magnitude);
  }
}

}  // namespace
}  // namespace bitlaw
