#include "ptq/quantize_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "ptq/gptq.h"
#include "ptq/hessian_error.h"
#include "ptq/matrices_for_tests.h"
#include "ptq/rotation.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

std::vector<MatrixCell> all_cells(const WeightScheme& scheme) {
  std::vector<MatrixCell> out;
  for (const PtqMethod& method : ptq_methods()) {
    if (method.round == nullptr) continue;
    for (const bool rotated : {false, true}) {
      out.push_back({.method = &method, .scheme = scheme, .rotated = rotated});
      if (method.orders_columns)
        out.push_back({.method = &method, .scheme = scheme, .act_order = true, .rotated = rotated});
    }
  }
  return out;
}

TEST(QuantizeMatrix, ErrorsAreThoseOfTheEffectiveMatrix) {
  ThreadPool pool(2);
  const int64_t rows = 60, columns = 96;
  const std::vector<float> weights = random_weights(rows, columns, 61);
  InputSolver input(random_statistics(columns, 61), pool);
  for (const char* name : {"int4", "int3-asym", "e2m1-e4m3"}) {
    for (const MatrixCell& cell : all_cells(parse_weight_scheme(name, 32))) {
      const MatrixResult result =
          quantize_matrix(cell, &input, weights.data(), rows, columns, pool);
      EXPECT_EQ(result.quantized.rotation, cell.rotated ? 32 : 1);
      const double direct =
          hessian_error(result.quantized, weights.data(), input.statistics().hessian, pool);
      if (!cell.rotated) {
        EXPECT_EQ(result.error, direct);
      } else {
        // FP32 roundings of W R and of the effective matrix move E by 2^-24 |W| each.
        double trace = 0, length = 0;
        for (int64_t c = 0; c < columns; ++c) trace += input.statistics().hessian(c, c);
        for (const float w : weights) length += double{w} * w;
        EXPECT_NEAR(std::sqrt(result.error), std::sqrt(direct),
                    3 * 0x1p-24 * std::sqrt(trace * length));
      }
      EXPECT_EQ(result.flagged, !(result.error <= result.rtn_error));
      const std::string method = cell.method->name;
      EXPECT_EQ(std::isnan(result.damping), !cell.method->damps_hessian);
      EXPECT_EQ(std::isnan(result.alpha), method != "awq");
      EXPECT_TRUE(method != "rtn" || result.error == result.rtn_error);
      const MatrixResult again =
          quantize_matrix(cell, &input, weights.data(), rows, columns, pool, result.rtn_error);
      EXPECT_EQ(again.error, result.error);
      EXPECT_EQ(again.rtn_error, result.rtn_error);
      expect_same_bits(again.quantized.codes, result.quantized.codes);
    }
  }
}

TEST(QuantizeMatrix, RtnNeedsNoInput) {
  ThreadPool pool(1);
  const std::vector<float> weights = random_weights(6, 20, 62);
  const MatrixCell cell{.scheme = parse_weight_scheme("int4")};
  const MatrixResult result = quantize_matrix(cell, nullptr, weights.data(), 6, 20, pool);
  expect_same_bits(result.quantized.codes,
                   quantize_rtn(cell.scheme, weights.data(), 6, 20, pool).codes);
  EXPECT_TRUE(std::isnan(result.error));
  EXPECT_FALSE(result.flagged);
}

// Columns in another order, inputs in another order: the same problem.
TEST(QuantizeMatrix, ActOrderIsGptqOfThePermutedProblem) {
  ThreadPool pool(2);
  const int64_t rows = 50, columns = 130;
  const std::vector<float> weights = random_weights(rows, columns, 63);
  const linalg::Matrix H = random_hessian(columns, 63);
  const std::vector<int64_t> order = activation_order(H);
  linalg::Matrix permuted(columns, columns);
  std::vector<float> permuted_weights(weights.size());
  for (int64_t i = 0; i < columns; ++i) {
    const int64_t from = order[static_cast<size_t>(i)];
    for (int64_t j = 0; j < columns; ++j) permuted(i, j) = H(from, order[static_cast<size_t>(j)]);
    for (int64_t r = 0; r < rows; ++r)
      permuted_weights[static_cast<size_t>(r * columns + i)] =
          weights[static_cast<size_t>(r * columns + from)];
  }
  for (const char* name : {"int3", "int4-asym", "e2m1"}) {
    const WeightScheme scheme = parse_weight_scheme(name);
    const QuantizedMatrix a = quantize_gptq(scheme, weights.data(), rows, columns,
                                            factor_hessian(H, 0.01, pool, order), pool);
    const QuantizedMatrix b = quantize_gptq(scheme, permuted_weights.data(), rows, columns,
                                            factor_hessian(permuted, 0.01, pool), pool);
    EXPECT_EQ(a.scales, b.scales);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < columns; ++i) {
        ASSERT_EQ(a.codes[static_cast<size_t>(r * columns + order[static_cast<size_t>(i)])],
                  b.codes[static_cast<size_t>(r * columns + i)]);
      }
    }
  }
}

TEST(QuantizeMatrix, ActOrderKeepsTheGridsOfRtnInGroups) {
  ThreadPool pool(2);
  const int64_t rows = 30, columns = 100;
  const std::vector<float> weights = random_weights(rows, columns, 64);
  InputSolver input(random_statistics(columns, 64), pool);
  for (const WeightScheme& scheme : weight_schemes(32)) {
    MatrixCell cell{.method = &ptq_method("gptq"), .scheme = scheme, .act_order = true};
    const MatrixResult result = quantize_matrix(cell, &input, weights.data(), rows, columns, pool);
    const QuantizedMatrix rtn = quantize_rtn(scheme, weights.data(), rows, columns, pool);
    expect_same_bits(result.quantized.scales, rtn.scales);
    expect_same_bits(result.quantized.zeros, rtn.zeros);
  }
}

TEST(QuantizeMatrix, ThreadsDoNotChangeABit) {
  ThreadPool one(1), three(3);
  const int64_t rows = 250, columns = 96;
  const std::vector<float> weights = random_weights(rows, columns, 65);
  InputSolver a(random_statistics(columns, 65), one), b(random_statistics(columns, 65), three);
  for (const MatrixCell& cell : all_cells(parse_weight_scheme("int3", 32))) {
    const MatrixResult x = quantize_matrix(cell, &a, weights.data(), rows, columns, one);
    const MatrixResult y = quantize_matrix(cell, &b, weights.data(), rows, columns, three);
    EXPECT_EQ(x.error, y.error);
    EXPECT_EQ(x.rtn_error, y.rtn_error);
    expect_same_bits(x.quantized.effective(one), y.quantized.effective(three));
  }
}

// The whole chain, from inputs to effective weights, against bits kept here: of any instruction set,
// compiler and library. Inputs and weights are uniform draws, which are exact.
TEST(QuantizeMatrix, GivesTheSameBitsOnEveryMachine) {
  ThreadPool pool(2);
  const int64_t rows = 30, columns = 288,
                tokens = 300;  // more than a panel of GPTQ, of 256 columns
  const auto uniform = [](int64_t count, uint64_t stream) {
    std::vector<float> out(static_cast<size_t>(count));
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<float>(random_uniform(68, stream, i) - 0.5);
    return out;
  };
  std::vector<float> inputs = uniform(tokens * columns, 1);
  for (size_t i = 1; i < inputs.size(); ++i) inputs[i] += 0.75f * inputs[i - 1];  // correlated
  const std::vector<float> weights = uniform(rows * columns, 2);
  StatisticsCollector collector(columns);
  collector.add(inputs.data(), tokens, pool);
  InputSolver input(std::move(collector).finish(), pool);
  std::map<std::string, std::string> hashes;  // by method
  for (const MatrixCell& cell : all_cells(parse_weight_scheme("int3-asym", 32))) {
    const std::vector<float> w = quantize_matrix(cell, &input, weights.data(), rows, columns, pool)
                                     .quantized.effective(pool);
    hashes[cell.method->name] +=
        hash_hex({reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float)}).substr(0, 8) +
        " ";
  }
  // As they are, rotated; with act-order behind each of the two, if the method knows it.
  const std::map<std::string, std::string> kept{
      {"rtn", "524fbb0c e8bf902f "},
      {"gptq", "6beb7c7e 1b089641 56f79d44 89287e8b "},
      {"awq", "ba45063f 5b16b03c "},
  };
  EXPECT_EQ(hashes, kept);
}

// One token repeated, nothing but zeros, inputs that are never on.
TEST(QuantizeMatrix, DegenerateCalibrationIsHandledAndReported) {
  ThreadPool pool(2);
  const int64_t rows = 40, columns = 64;
  const std::vector<float> weights = random_weights(rows, columns, 66);
  for (const std::string kind : {"one token", "zeros", "dead inputs"}) {
    std::vector<float> inputs = random_inputs(20, columns, 66);
    for (int64_t t = 0; t < 20; ++t) {
      for (int64_t c = 0; c < columns; ++c) {
        float& x = inputs[static_cast<size_t>(t * columns + c)];
        if (kind == "one token") x = inputs[static_cast<size_t>(c)];
        if (kind == "zeros" || (kind == "dead inputs" && c % 4 == 1)) x = 0;
      }
    }
    StatisticsCollector collector(columns);
    collector.add(inputs.data(), 20, pool);
    InputSolver input(std::move(collector).finish(), pool);
    const int64_t dead = kind == "zeros" ? columns : kind == "dead inputs" ? columns / 4 : 0;
    EXPECT_EQ(input.dead_columns(), dead);
    for (const WeightScheme& scheme : weight_schemes(0)) {
      for (const MatrixCell& cell : all_cells(scheme)) {
        const MatrixResult result =
            quantize_matrix(cell, &input, weights.data(), rows, columns, pool);
        EXPECT_EQ(result.dead_columns, dead);
        EXPECT_TRUE(std::isfinite(result.error));
        for (const float w : result.quantized.effective(pool)) ASSERT_TRUE(std::isfinite(w));
        if (kind != "zeros") continue;
        EXPECT_EQ(result.error, 0);
        EXPECT_FALSE(result.flagged);
        if (!cell.rotated)
          expect_same_bits(
              result.quantized.effective(pool),
              quantize_rtn(scheme, weights.data(), rows, columns, pool).effective(pool));
      }
    }
  }
}

TEST(QuantizeMatrix, InputsThatAreNotFiniteAreRejected) {
  ThreadPool pool(1);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> inputs(40, 1.0f);
    inputs[13] = bad;
    StatisticsCollector collector(8);
    collector.add(inputs.data(), 5, pool);
    EXPECT_THROW(std::move(collector).finish(), Error);
  }
}

}  // namespace
}  // namespace bitlaw
