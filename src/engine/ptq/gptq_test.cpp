#include "ptq/gptq.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "formats/block_error.h"
#include "ptq/hessian_error.h"
#include "ptq/matrices_for_tests.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

using linalg::Matrix;

WeightScheme integers(int bits, int group = 0) {
  return {.format = integer_format(bits), .group = group};
}

TEST(Gptq, WithoutCorrelationsIsRtnBitForBit) {
  ThreadPool pool(2);
  for (const MatrixCase& c : kMatrixCases) {
    std::vector<float> weights = random_weights(c.rows, c.columns, 12);
    weights[weights.size() / 2] = -0.0f;
    Matrix diagonal(c.columns, c.columns);
    for (int64_t k = 0; k < c.columns; ++k)
      diagonal(k, k) = 0.1 + random_uniform(12, 6, static_cast<uint64_t>(k));
    const std::vector<Matrix> hessians{
        identity(c.columns),            // every input alike
        diagonal,                       // inputs of unequal size, uncorrelated
        Matrix(c.columns, c.columns)};  // nothing known: all columns dead
    for (const Matrix& hessian : hessians) {
      const HessianFactor factor = factor_hessian(hessian, 0.01, pool);
      for (const WeightScheme& scheme : weight_schemes(c.group)) {
        const QuantizedMatrix rtn = quantize_rtn(scheme, weights.data(), c.rows, c.columns, pool);
        const QuantizedMatrix gptq =
            quantize_gptq(scheme, weights.data(), c.rows, c.columns, factor, pool);
        expect_same_bits(gptq.codes, rtn.codes);
        expect_same_bits(gptq.scales, rtn.scales);
        expect_same_bits(gptq.zeros, rtn.zeros);
      }
    }
  }
}

// GPTQ as its paper derives it from optimal brain surgery, one column at a time: round column k,
// then move every weight not yet rounded by -(w_k - q_k) / [F^-1]_kk [F^-1]_kj, where F is the
// Hessian of the columns from k on, inverted anew for every k.
// Only the first row of F^-1 is needed, which is its first column: F x = e_0, by elimination.
std::vector<double> first_row_of_inverse(Matrix F) {
  const int64_t n = F.columns();
  std::vector<double> x(static_cast<size_t>(n));
  x[0] = 1;
  for (int64_t k = 0; k < n; ++k) {
    const double* pivots = F.row(k);
    for (int64_t i = k + 1; i < n; ++i) {
      double* row = F.row(i);
      const double factor = row[k] / pivots[k];
      if (factor == 0) continue;
      for (int64_t j = k; j < n; ++j) row[j] -= factor * pivots[j];
      x[i] -= factor * x[k];
    }
  }
  for (int64_t k = n - 1; k >= 0; --k) {
    for (int64_t j = k + 1; j < n; ++j) x[k] -= F(k, j) * x[j];
    x[k] /= F(k, k);
  }
  return x;
}

// That row for every k: it is the same for all schemes.
std::vector<std::vector<double>> inverse_rows(const Matrix& hessian) {
  const int64_t n = hessian.columns();
  std::vector<std::vector<double>> rows;
  for (int64_t k = 0; k < n; ++k) {
    Matrix rest(n - k, n - k);
    for (int64_t i = k; i < n; ++i) {
      for (int64_t j = k; j < n; ++j) rest(i - k, j - k) = hessian(i, j);
    }
    rows.push_back(first_row_of_inverse(std::move(rest)));
  }
  return rows;
}

QuantizedMatrix column_by_column(const WeightScheme& scheme, const std::vector<float>& weights,
                                 int64_t rows, int64_t columns,
                                 const std::vector<std::vector<double>>& inverses) {
  QuantizedMatrix out(scheme, rows, columns);
  out.tensor_scale = tensor_scale(scheme, largest_magnitude(weights.data(), rows * columns));
  Matrix w(rows, columns);
  for (int64_t i = 0; i < rows * columns; ++i) w.row(0)[i] = weights[static_cast<size_t>(i)];
  const int64_t width = scheme.group == 0 ? columns : scheme.group;
  std::vector<BlockGrid> grids(static_cast<size_t>(rows));
  for (int64_t k = 0; k < columns; ++k) {
    const std::vector<double>& inverse = inverses[static_cast<size_t>(k)];
    for (int64_t r = 0; r < rows; ++r) {
      BlockGrid& grid = grids[static_cast<size_t>(r)];
      if (k % width == 0) {
        const int64_t count = std::min(width, columns - k);
        const std::vector<float> group(w.row(r) + k, w.row(r) + k + count);
        grid = block_grid(scheme, out.tensor_scale, group.data(), count);
        out.set_grid(r, k / width, grid);
      }
      const float code = code_of(scheme, grid, static_cast<float>(w(r, k)));
      out.codes[static_cast<size_t>(r * columns + k)] = code;
      const double error = w(r, k) - static_cast<double>(value_of(grid, code));
      for (int64_t j = k; j < columns; ++j) w(r, j) -= error / inverse[0] * inverse[j - k];
    }
  }
  return out;
}

TEST(Gptq, GivesTheCodesOfTheColumnByColumnDerivation) {
  ThreadPool pool(2);
  const std::vector<MatrixCase> cases{{4, 3, 0},     {20, 17, 0}, {66, 60, 0},  {6, 140, 0},
                                      {5, 270, 128}, {9, 40, 8},  {66, 70, 32}, {5, 50, 64}};
  for (const MatrixCase& c : cases) {
    const std::vector<float> weights = random_weights(c.rows, c.columns, 13);
    const Matrix hessian = random_hessian(c.columns, 13);
    const HessianFactor factor = factor_hessian(hessian, 0.01, pool);
    ASSERT_EQ(factor.damping, 0.01);
    const std::vector<std::vector<double>> inverses = inverse_rows(damped(hessian, 0.01));
    for (const char* name : {"int2", "int4", "e2m1", "int3-asym", "int3-clip", "e2m1-e4m3"}) {
      const WeightScheme scheme = parse_weight_scheme(name, c.group);
      const QuantizedMatrix fast =
          quantize_gptq(scheme, weights.data(), c.rows, c.columns, factor, pool);
      const QuantizedMatrix direct = column_by_column(scheme, weights, c.rows, c.columns, inverses);
      EXPECT_EQ(fast.codes, direct.codes)
          << c.rows << "x" << c.columns << " group " << c.group << " " << name;
      EXPECT_EQ(fast.zeros, direct.zeros);
    }
  }
}

// All ways to round three weights to 2-bit codes, tried one by one.
TEST(Gptq, LiesBetweenTheOptimumAndRtn) {
  ThreadPool pool(1);
  const WeightScheme scheme = integers(2);
  const std::vector<float> codes = all_codes(scheme.format);
  ASSERT_EQ(codes.size(), 4u);
  const int64_t columns = 3;
  double sum_best = 0, sum_gptq = 0, sum_rtn = 0;
  int gptq_is_best = 0;
  const int layers = 500;
  for (int layer = 0; layer < layers; ++layer) {
    const auto seed = static_cast<uint64_t>(100 + layer);
    const std::vector<float> weights = random_weights(1, columns, seed);
    const Matrix hessian = random_hessian(columns, seed);
    // Damping far below the rounding of a double's last decimal places: the very problem of the
    // optimum.
    const HessianFactor factor = factor_hessian(hessian, 1e-9, pool);
    QuantizedMatrix candidate = quantize_rtn(scheme, weights.data(), 1, columns, pool);
    const double rtn = hessian_error(candidate, weights.data(), hessian, pool);
    const double gptq =
        hessian_error(quantize_gptq(scheme, weights.data(), 1, columns, factor, pool),
                      weights.data(), hessian, pool);
    double best = std::numeric_limits<double>::infinity();
    for (const float a : codes) {
      for (const float b : codes) {
        for (const float c : codes) {
          candidate.codes = {a, b, c};
          best = std::min(best, hessian_error(candidate, weights.data(), hessian, pool));
        }
      }
    }
    EXPECT_GE(gptq, best);  // the same function of one of the candidates
    EXPECT_GE(rtn, best);
    gptq_is_best += gptq == best;
    sum_best += best;
    sum_gptq += gptq;
    sum_rtn += rtn;
  }
  EXPECT_LT(sum_gptq, sum_rtn);
  EXPECT_GT(gptq_is_best, 0);
  RecordProperty("gptq_over_best", std::to_string(sum_gptq / sum_best));
  RecordProperty("rtn_over_best", std::to_string(sum_rtn / sum_best));
}

TEST(Gptq, ErrorFallsAsBitsRiseAndGptqBeatsRtn) {
  ThreadPool pool(2);
  const int64_t rows = 96, columns = 160;
  const std::vector<float> weights = random_weights(rows, columns, 15);
  const Matrix hessian = random_hessian(columns, 15);
  const HessianFactor factor = factor_hessian(hessian, 0.01, pool);
  for (const int group : {0, 32}) {
    double last_rtn = std::numeric_limits<double>::infinity(), last_gptq = last_rtn;
    for (int bits = 2; bits <= 8; ++bits) {
      const WeightScheme scheme = integers(bits, group);
      const double rtn = hessian_error(quantize_rtn(scheme, weights.data(), rows, columns, pool),
                                       weights.data(), hessian, pool);
      const double gptq =
          hessian_error(quantize_gptq(scheme, weights.data(), rows, columns, factor, pool),
                        weights.data(), hessian, pool);
      EXPECT_LT(rtn, last_rtn);
      EXPECT_LT(gptq, last_gptq);
      EXPECT_LT(gptq, rtn);
      last_rtn = rtn;
      last_gptq = gptq;
    }
  }
}

TEST(Gptq, ThreadsDoNotChangeABit) {
  const int64_t rows = 200, columns = 260;
  const std::vector<float> weights = random_weights(rows, columns, 16);
  const Matrix hessian = random_hessian(columns, 16);
  ThreadPool one(1), three(3);
  const HessianFactor factor = factor_hessian(hessian, 0.01, one);
  for (const int group : {0, 48}) {
    const QuantizedMatrix a =
        quantize_gptq(integers(3, group), weights.data(), rows, columns, factor, one);
    const QuantizedMatrix b =
        quantize_gptq(integers(3, group), weights.data(), rows, columns, factor, three);
    expect_same_bits(a.codes, b.codes);
    expect_same_bits(a.scales, b.scales);
    EXPECT_EQ(hessian_error(a, weights.data(), hessian, one),
              hessian_error(b, weights.data(), hessian, three));
  }
}

TEST(Gptq, DeadColumnsAreRoundedToNearestAndTouchNothing) {
  ThreadPool pool(2);
  const int64_t rows = 10, columns = 24;
  const std::vector<int64_t> dead{0, 7, 8, 23};
  const std::vector<float> weights = random_weights(rows, columns, 17);
  Matrix hessian = random_hessian(columns, 17);
  for (const int64_t k : dead) {
    for (int64_t i = 0; i < columns; ++i) hessian(k, i) = hessian(i, k) = 0;
  }
  const HessianFactor factor = factor_hessian(hessian, 0.01, pool);
  EXPECT_EQ(factor.dead_columns, 4);
  const WeightScheme scheme = integers(4);
  const QuantizedMatrix gptq = quantize_gptq(scheme, weights.data(), rows, columns, factor, pool);
  const QuantizedMatrix rtn = quantize_rtn(scheme, weights.data(), rows, columns, pool);
  for (const int64_t k : dead) {
    for (int64_t r = 0; r < rows; ++r) {
      EXPECT_EQ(gptq.codes[static_cast<size_t>(r * columns + k)],
                rtn.codes[static_cast<size_t>(r * columns + k)]);
    }
  }
  // The other columns come out as if the dead ones were not there (the scales, of whole rows, are
  // the same because every row's largest weight is made to sit in a column that lives).
  std::vector<float> with_peak = weights, alive_only;
  for (int64_t r = 0; r < rows; ++r) with_peak[static_cast<size_t>(r * columns + 1)] = 0.2f;
  std::vector<int64_t> alive;
  for (int64_t k = 0; k < columns; ++k) {
    if (std::find(dead.begin(), dead.end(), k) == dead.end()) alive.push_back(k);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (const int64_t k : alive)
      alive_only.push_back(with_peak[static_cast<size_t>(r * columns + k)]);
  }
  const auto live_count = static_cast<int64_t>(alive.size());
  Matrix live_hessian(live_count, live_count);
  for (int64_t i = 0; i < live_count; ++i) {
    for (int64_t j = 0; j < live_count; ++j) {
      live_hessian(i, j) = hessian(alive[static_cast<size_t>(i)], alive[static_cast<size_t>(j)]);
    }
  }
  const QuantizedMatrix all = quantize_gptq(scheme, with_peak.data(), rows, columns, factor, pool);
  const QuantizedMatrix live = quantize_gptq(scheme, alive_only.data(), rows, live_count,
                                             factor_hessian(live_hessian, 0.01, pool), pool);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < live_count; ++i) {
      EXPECT_EQ(all.codes[static_cast<size_t>(r * columns + alive[static_cast<size_t>(i)])],
                live.codes[static_cast<size_t>(r * live_count + i)]);
    }
  }
}

}  // namespace
}  // namespace bitlaw
