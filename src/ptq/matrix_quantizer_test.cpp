#include "ptq/matrix_quantizer.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace bitlaw {
namespace {

using Eigen::MatrixXd;

std::vector<float> random_weights(int64_t rows, int64_t columns, uint64_t seed) {
  std::vector<float> weights(static_cast<size_t>(rows * columns));
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<float>(0.02 * random_normal(seed, 1, i));
  return weights;
}

// H = 2/n X^T X of inputs that are correlated (every input leans on a few common factors) and of
// uneven size, as activations are.
MatrixXd random_hessian(int64_t columns, uint64_t seed, int64_t samples = 0) {
  const int64_t n = samples > 0 ? samples : 4 * columns, factors = columns / 4 + 1;
  MatrixXd mix(factors, columns), common(n, factors), own(n, columns);
  for (int64_t i = 0; i < mix.size(); ++i)
    mix.data()[i] = random_normal(seed, 2, static_cast<uint64_t>(i));
  for (int64_t i = 0; i < common.size(); ++i)
    common.data()[i] = random_normal(seed, 3, static_cast<uint64_t>(i));
  for (int64_t i = 0; i < own.size(); ++i)
    own.data()[i] = random_normal(seed, 4, static_cast<uint64_t>(i));
  MatrixXd inputs = common * mix + 0.5 * own;
  for (int64_t c = 0; c < columns; ++c)
    inputs.col(c) *= 0.25 + random_uniform(seed, 5, static_cast<uint64_t>(c));
  return 2.0 / static_cast<double>(n) * inputs.transpose() * inputs;
}

MatrixXd damped(const MatrixXd& hessian, double damping) {
  return hessian +
         damping * hessian.diagonal().mean() * MatrixXd::Identity(hessian.rows(), hessian.cols());
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(a[i]), std::bit_cast<uint32_t>(b[i])) << "entry " << i;
  }
}

struct Case {
  int64_t rows, columns;
  int group;
};
// One row, one column, below and beyond a tile of 64 rows and a panel of 128 columns, short last
// groups.
const std::vector<Case> kCases{{1, 1, 0},  {3, 7, 0},    {64, 128, 0}, {65, 129, 0},  {130, 300, 0},
                               {5, 40, 1}, {7, 100, 32}, {66, 96, 32}, {70, 200, 128}};

std::vector<Format> formats() {
  std::vector<Format> all;
  for (int bits = 2; bits <= 8; ++bits) all.push_back(integer_format(bits));
  for (const auto& [x, y] : {std::pair{2, 0}, {2, 1}, {3, 2}, {4, 3}})
    all.push_back(float_format(x, y));
  return all;
}

TEST(MatrixQuantizer, RtnIsTheDefinitionBitForBit) {
  ThreadPool pool(2);
  for (const Case& c : kCases) {
    std::vector<float> weights = random_weights(c.rows, c.columns, 11);
    weights[0] = -0.0f;
    if (c.rows > 1) std::fill_n(weights.begin() + c.columns, c.columns, 0.0f);  // a row of zeros
    for (const Format& format : formats()) {
      const QuantizedMatrix rtn =
          quantize_rtn(format, c.group, weights.data(), c.rows, c.columns, pool);
      const QuantizedReference reference =
          quantize_reference(format, c.group == 0 ? ScaleAxis::kRow : ScaleAxis::kGroup, c.group,
                             weights.data(), c.rows, c.columns);
      expect_same_bits(rtn.codes, reference.codes);
      for (int64_t r = 0; r < c.rows; ++r) {
        for (int64_t k = 0; k < c.columns; ++k) {
          ASSERT_EQ(rtn.value(r, k), reference.values[static_cast<size_t>(r * c.columns + k)]);
        }
      }
    }
  }
}

TEST(MatrixQuantizer, GptqWithoutCorrelationsIsRtnBitForBit) {
  ThreadPool pool(2);
  for (const Case& c : kCases) {
    std::vector<float> weights = random_weights(c.rows, c.columns, 12);
    weights[weights.size() / 2] = -0.0f;
    MatrixXd diagonal = MatrixXd::Zero(c.columns, c.columns);
    for (int64_t k = 0; k < c.columns; ++k)
      diagonal(k, k) = 0.1 + random_uniform(12, 6, static_cast<uint64_t>(k));
    const std::vector<MatrixXd> hessians{
        MatrixXd::Identity(c.columns, c.columns),  // every input alike
        diagonal,                                  // inputs of unequal size, uncorrelated
        MatrixXd::Zero(c.columns, c.columns)};     // nothing known: all columns dead
    for (const MatrixXd& hessian : hessians) {
      const HessianFactor factor = factor_hessian(hessian, 0.01);
      for (const Format& format : formats()) {
        const QuantizedMatrix rtn =
            quantize_rtn(format, c.group, weights.data(), c.rows, c.columns, pool);
        const QuantizedMatrix gptq =
            quantize_gptq(format, c.group, weights.data(), c.rows, c.columns, factor, pool);
        expect_same_bits(gptq.codes, rtn.codes);
        expect_same_bits(gptq.scales, rtn.scales);
      }
    }
  }
}

// GPTQ as its paper derives it from optimal brain surgery, one column at a time: round column k,
// then move every weight not yet rounded by -(w_k - q_k) / [F^-1]_kk [F^-1]_kj, where F is the
// Hessian of the columns from k on, inverted anew for every k.
QuantizedMatrix column_by_column(const Format& format, int group, const std::vector<float>& weights,
                                 int64_t rows, int64_t columns, const MatrixXd& damped_hessian) {
  QuantizedMatrix out{format, group, rows, columns, std::vector<float>(weights.size()), {}};
  out.scales.resize(static_cast<size_t>(rows * out.groups_per_row()));
  MatrixXd w(rows, columns);
  for (int64_t i = 0; i < rows * columns; ++i)
    w(i / columns, i % columns) = weights[static_cast<size_t>(i)];
  const int64_t width = group == 0 ? columns : group;
  std::vector<BlockScale> scales(static_cast<size_t>(rows));
  for (int64_t k = 0; k < columns; ++k) {
    const MatrixXd inverse = damped_hessian.bottomRightCorner(columns - k, columns - k).inverse();
    for (int64_t r = 0; r < rows; ++r) {
      BlockScale& scale = scales[static_cast<size_t>(r)];
      if (k % width == 0) {
        const int64_t count = std::min(width, columns - k);
        scale = block_scale(format, w.row(r).segment(k, count).cast<float>().cwiseAbs().maxCoeff());
        out.scales[static_cast<size_t>(r * out.groups_per_row() + k / width)] = scale.scale;
      }
      const float code = round_to_code(format, static_cast<float>(w(r, k)) * scale.inverse);
      out.codes[static_cast<size_t>(r * columns + k)] = code;
      const double error = w(r, k) - static_cast<double>(code * scale.scale);
      w.row(r).tail(columns - k) -= error / inverse(0, 0) * inverse.row(0);
    }
  }
  return out;
}

TEST(MatrixQuantizer, GptqGivesTheCodesOfTheColumnByColumnDerivation) {
  ThreadPool pool(2);
  const std::vector<Case> cases{{4, 3, 0},   {20, 17, 0}, {66, 60, 0},
                                {6, 140, 0}, {9, 40, 8},  {66, 70, 32}};
  for (const Case& c : cases) {
    const std::vector<float> weights = random_weights(c.rows, c.columns, 13);
    const MatrixXd hessian = random_hessian(c.columns, 13);
    const HessianFactor factor = factor_hessian(hessian, 0.01);
    ASSERT_EQ(factor.damping, 0.01);
    for (const Format& format :
         {integer_format(2), integer_format(3), integer_format(4), float_format(2, 1)}) {
      const QuantizedMatrix fast =
          quantize_gptq(format, c.group, weights.data(), c.rows, c.columns, factor, pool);
      const QuantizedMatrix direct =
          column_by_column(format, c.group, weights, c.rows, c.columns, damped(hessian, 0.01));
      EXPECT_EQ(fast.codes, direct.codes)
          << c.rows << "x" << c.columns << " group " << c.group << " " << format.name();
    }
  }
}

// All ways to round three weights to 2-bit codes, tried one by one.
TEST(MatrixQuantizer, GptqLiesBetweenTheOptimumAndRtn) {
  ThreadPool pool(1);
  const Format format = integer_format(2);
  const std::vector<float> codes = all_codes(format);
  ASSERT_EQ(codes.size(), 4u);
  const int64_t columns = 3;
  double sum_best = 0, sum_gptq = 0, sum_rtn = 0;
  int gptq_is_best = 0;
  const int layers = 500;
  for (int layer = 0; layer < layers; ++layer) {
    const auto seed = static_cast<uint64_t>(100 + layer);
    const std::vector<float> weights = random_weights(1, columns, seed);
    const MatrixXd hessian = random_hessian(columns, seed);
    // Damping far below the rounding of a double's last decimal places: the very problem of the
    // optimum.
    const HessianFactor factor = factor_hessian(hessian, 1e-9);
    QuantizedMatrix candidate = quantize_rtn(format, 0, weights.data(), 1, columns, pool);
    const double rtn = hessian_error(candidate, weights.data(), hessian, pool);
    const double gptq =
        hessian_error(quantize_gptq(format, 0, weights.data(), 1, columns, factor, pool),
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

TEST(MatrixQuantizer, HessianErrorIsTheSquaredErrorOfTheOutputs) {
  ThreadPool pool(2);
  const int64_t rows = 70, columns = 33, samples = 50;
  const std::vector<float> weights = random_weights(rows, columns, 14);
  MatrixXd inputs(samples, columns);
  for (int64_t i = 0; i < inputs.size(); ++i)
    inputs.data()[i] = random_normal(14, 7, static_cast<uint64_t>(i));
  const MatrixXd hessian = 2.0 / samples * inputs.transpose() * inputs;
  const QuantizedMatrix rtn =
      quantize_rtn(integer_format(3), 0, weights.data(), rows, columns, pool);
  double squared = 0;
  for (int64_t t = 0; t < samples; ++t) {
    for (int64_t r = 0; r < rows; ++r) {
      double output = 0;
      for (int64_t c = 0; c < columns; ++c) {
        output +=
            (static_cast<double>(rtn.value(r, c)) - weights[static_cast<size_t>(r * columns + c)]) *
            inputs(t, c);
      }
      squared += output * output;
    }
  }
  // Both are sums in double over samples, columns and rows of products whose magnitudes add up to
  // this.
  double magnitude = 0;
  const MatrixXd absolute = 2.0 / samples * inputs.cwiseAbs().transpose() * inputs.cwiseAbs();
  for (int64_t r = 0; r < rows; ++r) {
    Eigen::VectorXd errors(columns);
    for (int64_t c = 0; c < columns; ++c) {
      errors[c] = std::fabs(static_cast<double>(rtn.value(r, c)) -
                            weights[static_cast<size_t>(r * columns + c)]);
    }
    magnitude += errors.dot(absolute * errors);
  }
  EXPECT_NEAR(hessian_error(rtn, weights.data(), hessian, pool), 2.0 / samples * squared,
              2 * (samples + 2 * columns + rows + 4) * 0x1p-53 * magnitude);
}

TEST(MatrixQuantizer, ErrorFallsAsBitsRiseAndGptqBeatsRtn) {
  ThreadPool pool(2);
  const int64_t rows = 96, columns = 160;
  const std::vector<float> weights = random_weights(rows, columns, 15);
  const MatrixXd hessian = random_hessian(columns, 15);
  const HessianFactor factor = factor_hessian(hessian, 0.01);
  for (const int group : {0, 32}) {
    double last_rtn = std::numeric_limits<double>::infinity(), last_gptq = last_rtn;
    for (int bits = 2; bits <= 8; ++bits) {
      const Format format = integer_format(bits);
      const double rtn =
          hessian_error(quantize_rtn(format, group, weights.data(), rows, columns, pool),
                        weights.data(), hessian, pool);
      const double gptq =
          hessian_error(quantize_gptq(format, group, weights.data(), rows, columns, factor, pool),
                        weights.data(), hessian, pool);
      EXPECT_LT(rtn, last_rtn);
      EXPECT_LT(gptq, last_gptq);
      EXPECT_LT(gptq, rtn);
      last_rtn = rtn;
      last_gptq = gptq;
    }
  }
}

TEST(MatrixQuantizer, ThreadsDoNotChangeABit) {
  const int64_t rows = 200, columns = 260;
  const std::vector<float> weights = random_weights(rows, columns, 16);
  const MatrixXd hessian = random_hessian(columns, 16);
  const HessianFactor factor = factor_hessian(hessian, 0.01);
  ThreadPool one(1), three(3);
  for (const int group : {0, 48}) {
    const QuantizedMatrix a =
        quantize_gptq(integer_format(3), group, weights.data(), rows, columns, factor, one);
    const QuantizedMatrix b =
        quantize_gptq(integer_format(3), group, weights.data(), rows, columns, factor, three);
    expect_same_bits(a.codes, b.codes);
    expect_same_bits(a.scales, b.scales);
    EXPECT_EQ(hessian_error(a, weights.data(), hessian, one),
              hessian_error(b, weights.data(), hessian, three));
  }
}

TEST(MatrixQuantizer, DeadColumnsAreRoundedToNearestAndTouchNothing) {
  ThreadPool pool(2);
  const int64_t rows = 10, columns = 24;
  const std::vector<int64_t> dead{0, 7, 8, 23};
  const std::vector<float> weights = random_weights(rows, columns, 17);
  MatrixXd hessian = random_hessian(columns, 17);
  for (const int64_t k : dead) {
    hessian.row(k).setZero();
    hessian.col(k).setZero();
  }
  const HessianFactor factor = factor_hessian(hessian, 0.01);
  EXPECT_EQ(factor.dead_columns, 4);
  const Format format = integer_format(4);
  const QuantizedMatrix gptq =
      quantize_gptq(format, 0, weights.data(), rows, columns, factor, pool);
  const QuantizedMatrix rtn = quantize_rtn(format, 0, weights.data(), rows, columns, pool);
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
  MatrixXd live_hessian(live_count, live_count);
  for (int64_t i = 0; i < live_count; ++i) {
    for (int64_t j = 0; j < live_count; ++j) {
      live_hessian(i, j) = hessian(alive[static_cast<size_t>(i)], alive[static_cast<size_t>(j)]);
    }
  }
  const QuantizedMatrix all =
      quantize_gptq(format, 0, with_peak.data(), rows, columns, factor, pool);
  const QuantizedMatrix live = quantize_gptq(format, 0, alive_only.data(), rows, live_count,
                                             factor_hessian(live_hessian, 0.01), pool);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < live_count; ++i) {
      EXPECT_EQ(all.codes[static_cast<size_t>(r * columns + alive[static_cast<size_t>(i)])],
                live.codes[static_cast<size_t>(r * live_count + i)]);
    }
  }
}

TEST(MatrixQuantizer, DampingClimbsUntilTheCholeskyHolds) {
  // Diagonal 1, everything else c: eigenvalues 1 - c (many) and 1 + (n-1) c. With c = -0.2 and n =
  // 8 the smallest is -0.4: damping 0.01 and 0.1 leave it negative, 1 makes it 0.6.
  const int64_t n = 8;
  MatrixXd indefinite = MatrixXd::Constant(n, n, -0.2);
  indefinite.diagonal().setOnes();
  const HessianFactor factor = factor_hessian(indefinite, 0.01);
  EXPECT_EQ(factor.damping, 1.0);
  EXPECT_EQ(factor.failed_dampings, (std::vector<double>{0.01, 0.1}));

  // One token repeated gives rank one: the first rung holds.
  const MatrixXd rank_one = random_hessian(40, 18, 1);
  EXPECT_EQ(factor_hessian(rank_one, 0.01).damping, 0.01);

  MatrixXd hopeless = MatrixXd::Constant(n, n, -1e6);
  hopeless.diagonal().setOnes();
  EXPECT_THROW(factor_hessian(hopeless, 0.01), Error);
  indefinite(2, 3) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(factor_hessian(indefinite, 0.01), Error);
}

TEST(MatrixQuantizer, OperandHoldsTheSameValues) {
  ThreadPool pool(1);
  const int64_t rows = 5, columns = 70;
  const std::vector<float> weights = random_weights(rows, columns, 19);
  for (const int group : {0, 32}) {
    for (const Format& format : formats()) {
      const QuantizedMatrix rtn = quantize_rtn(format, group, weights.data(), rows, columns, pool);
      const Operand operand = rtn.operand();
      ASSERT_EQ(operand.codes.dtype(), format.codes_fit_bf16() ? DType::kBF16 : DType::kF32);
      ASSERT_EQ(operand.group, group);
      const int64_t groups = group == 0 ? 1 : (columns + group - 1) / group;
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          const auto code = static_cast<float>(operand.codes.at(r * columns + c));
          const int64_t at = r * groups + (group == 0 ? 0 : c / group);
          EXPECT_EQ(code * operand.scales.f32()[at], rtn.value(r, c));
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
