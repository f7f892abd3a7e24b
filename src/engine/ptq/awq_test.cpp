#include "ptq/awq.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ptq/hessian_error.h"
#include "ptq/matrices_for_tests.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

// Every alpha by the definition: scale, round to nearest, unscale, measure.
double error_of_step(const WeightScheme& scheme, const std::vector<float>& weights, int64_t rows,
                     int64_t columns, const InputStatistics& statistics, int step,
                     ThreadPool& pool) {
  const std::vector<float> s = awq_scales(statistics.mean_magnitude, step);
  std::vector<float> scaled = weights;
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= s[i % static_cast<size_t>(columns)];
  QuantizedMatrix out = quantize_rtn(scheme, scaled.data(), rows, columns, pool);
  out.column_scale = s;
  return hessian_error(out, weights.data(), statistics.hessian, pool);
}

TEST(Awq, TakesTheAlphaOfLeastErrorAndNeverLosesToRtn) {
  ThreadPool pool(2);
  for (const auto& [rows, columns, group] : {MatrixCase{30, 50, 0}, {100, 64, 32}, {300, 40, 0}}) {
    const std::vector<float> weights = random_weights(rows, columns, 51);
    const InputStatistics statistics = random_statistics(columns, 51);
    for (const WeightScheme& scheme : weight_schemes(group)) {
      const AwqResult awq = quantize_awq(scheme, weights.data(), rows, columns,
                                         statistics.mean_magnitude, statistics.hessian, pool);
      std::vector<double> errors;
      for (int step = 0; step <= kAwqSteps; ++step)
        errors.push_back(error_of_step(scheme, weights, rows, columns, statistics, step, pool));
      int best_step = 0;  // of the eighths, then of its neighbours
      for (int step = 2; step <= kAwqSteps; step += 2) {
        if (errors[step] < errors[best_step]) best_step = step;
      }
      for (const int step : {best_step - 1, best_step + 1}) {
        if (step > 0 && step < kAwqSteps && errors[step] < errors[best_step]) best_step = step;
      }
      const double best = errors[best_step];
      EXPECT_EQ(awq.error, best) << scheme.name();
      EXPECT_EQ(awq.alpha, static_cast<double>(best_step) / kAwqSteps) << scheme.name();
      EXPECT_EQ(awq.rtn_error, errors[0]);
      EXPECT_LE(awq.error, awq.rtn_error);
      EXPECT_EQ(hessian_error(awq.quantized, weights.data(), statistics.hessian, pool), awq.error);
      EXPECT_EQ(awq.quantized.plain(), best_step == 0);
    }
  }
}

TEST(Awq, ThreadsDoNotChangeABit) {
  ThreadPool one(1), three(3);
  const int64_t rows = 250, columns = 60;
  const std::vector<float> weights = random_weights(rows, columns, 52);
  const InputStatistics statistics = random_statistics(columns, 52);
  const WeightScheme scheme = parse_weight_scheme("int3");
  const AwqResult a = quantize_awq(scheme, weights.data(), rows, columns, statistics.mean_magnitude,
                                   statistics.hessian, one);
  const AwqResult b = quantize_awq(scheme, weights.data(), rows, columns, statistics.mean_magnitude,
                                   statistics.hessian, three);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.alpha, b.alpha);
  expect_same_bits(a.quantized.codes, b.quantized.codes);
  expect_same_bits(a.quantized.effective(one), b.quantized.effective(three));
}

// One input a hundred times as large as the others: a finer grid for its weights pays.
TEST(Awq, GivesTheWeightsOfALargeInputAFinerGrid) {
  ThreadPool pool(1);
  const int64_t rows = 50, columns = 32, samples = 200;
  std::vector<float> inputs = random_inputs(samples, columns, 53);
  for (int64_t t = 0; t < samples; ++t) inputs[static_cast<size_t>(t * columns + 5)] *= 100;
  StatisticsCollector collector(columns);
  collector.add(inputs.data(), samples, pool);
  const InputStatistics statistics = std::move(collector).finish();
  const std::vector<float> weights = random_weights(rows, columns, 53);
  const AwqResult awq = quantize_awq(parse_weight_scheme("int3"), weights.data(), rows, columns,
                                     statistics.mean_magnitude, statistics.hessian, pool);
  EXPECT_GT(awq.alpha, 0);
  EXPECT_LT(awq.error, awq.rtn_error / 2);
  EXPECT_EQ(std::max_element(awq.quantized.column_scale.begin(), awq.quantized.column_scale.end()) -
                awq.quantized.column_scale.begin(),
            5);
}

TEST(AwqScales, ArePowersOfTheMagnitudesAroundOne) {
  const std::vector<float> m{0.5f, 8.0f, 2.0f, 0.0f};
  for (int step = 0; step <= kAwqSteps; ++step) {
    const std::vector<float> s = awq_scales(m, step);
    const double alpha = static_cast<double>(step) / kAwqSteps;
    // The smallest that is not zero is 1/2, the largest 8: the middle is 2. Five roots and sixteen
    // products in double, one rounding to float.
    for (size_t c = 0; c < m.size(); ++c) {
      const double expected = std::pow((m[c] == 0 ? 0.5 : m[c]) / 2, alpha);
      EXPECT_NEAR(s[c], expected, expected * (0x1p-24 + 0x1p-47)) << step;
    }
  }
  EXPECT_EQ(awq_scales(std::vector<float>(3, 0.0f), 9), std::vector<float>(3, 1.0f));
}

}  // namespace
}  // namespace bitlaw
