#include "ops/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/loss.h"
#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

std::vector<float> logits_of(int64_t count, uint64_t stream, double size) {
  const Tensor x = cases::normal({count}, stream, size);
  return {x.f32(), x.f32() + count};
}

TEST(CompareLogits, TwoTokensByHand) {
  const float p[] = {0, 0}, q[] = {0, std::log(3.0f)};  // 1/2, 1/2 and 1/4, 3/4
  for (Context c : {reference(), cpu(best_isa())}) {
    const TokenComparison got = compare_logits(c, p, q, 2, 1);
    EXPECT_NEAR(got.loss, -std::log(0.75), 4 * u);
    EXPECT_NEAR(got.baseline_loss, std::log(2.0), 4 * u);
    EXPECT_NEAR(got.kl, 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 8 * u);
    EXPECT_TRUE(got.same_top);  // the baseline likes both best
  }
}

TEST(CompareLogits, EqualLogitsDifferByExactlyNothing) {
  Context c;
  for (const int64_t V : {1, 2, 15, 16, 17, 100, 4096, 50257}) {
    const std::vector<float> x = logits_of(V, 5, 4);
    const TokenComparison got = compare_logits(c, x.data(), x.data(), V, V / 2);
    EXPECT_EQ(got.kl, 0);
    EXPECT_EQ(got.loss, got.baseline_loss);
    EXPECT_TRUE(got.same_top);
  }
}

TEST(CompareLogits, ClosenessNeverGivesANegativeDivergence) {
  Context c;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const int64_t V = 3 + static_cast<int64_t>(seed);
    const std::vector<float> p = logits_of(V, seed, 3);
    std::vector<float> q = p;
    for (size_t v = 0; v < q.size(); ++v)
      q[v] += static_cast<float>(1e-6 * random_normal(seed, 1, v));
    EXPECT_GE(compare_logits(c, p.data(), q.data(), V, 0).kl, 0);
  }
}

TEST(CompareLogits, TheSameTopMeansTheSameLikeliestToken) {
  Context c;
  std::vector<float> p = logits_of(100, 1, 1), q = logits_of(100, 2, 1);
  for (int i = 0; i < 100; ++i) {
    for (const int j : {0, 17, 63, 99}) {
      std::vector<float> a = p, b = q;
      a[static_cast<size_t>(i)] = 10;
      b[static_cast<size_t>(j)] = 20;
      EXPECT_EQ(compare_logits(c, a.data(), b.data(), 100, 3).same_top, i == j) << i << " " << j;
    }
  }
}

// The vector kernel against plain loops in double. With the exponentials within kExp, every
// difference of logits rounded once and two sums in float, log sums are off by kExp + 2 u + u sum p
// |logit - largest|, and the weighted sum by as much again times what it weighs. Twice that covers
// second-order terms.
TEST(CompareLogits, MatchesTheDefinition) {
  for (const int64_t V : {2, 3, 16, 31, 1000, 4096, 50257}) {
    for (const double size : {0.5, 3.0, 12.0}) {
      for (const double change : {1.0, 0.1, 0.001}) {
        const std::vector<float> p = logits_of(V, 3, size), noise = logits_of(V, 4, size * change);
        std::vector<float> q(p);
        for (size_t v = 0; v < q.size(); ++v) q[v] += noise[v];
        Context plain = reference(), fast = cpu(best_isa());
        const TokenComparison expected = compare_logits(plain, p.data(), q.data(), V, V - 1),
                              got = compare_logits(fast, p.data(), q.data(), V, V - 1);
        const float p_top = *std::max_element(p.begin(), p.end()),
                    q_top = *std::max_element(q.begin(), q.end());
        double below_p = 0, below_q = 0, weighed = 0;
        for (size_t v = 0; v < p.size(); ++v) {
          const double x = p_top - p[v], y = q_top - q[v];
          below_p += std::exp(-x - (expected.baseline_loss - (p_top - p.back()))) * x;
          below_q += std::exp(-y - (expected.loss - (q_top - q.back()))) * y;
          weighed +=
              std::exp(-x - (expected.baseline_loss - (p_top - p.back()))) * std::fabs(x - y);
        }
        const double log_error = kExp + 2 * u + u * below_p,
                     q_log_error = kExp + 2 * u + u * below_q;
        EXPECT_NEAR(got.baseline_loss, expected.baseline_loss,
                    2 * log_error + u * expected.baseline_loss);
        EXPECT_NEAR(got.loss, expected.loss, 2 * q_log_error + u * expected.loss);
        EXPECT_NEAR(got.kl, expected.kl,
                    2 * (log_error + q_log_error + 2 * (kExp + log_error) * weighed +
                         3 * u * (below_p + weighed)) +
                        u * expected.kl)
            << V << " " << size << " " << change;
        EXPECT_EQ(got.same_top, expected.same_top);
      }
    }
  }
}

void expect_same(const TokenComparison& got, const TokenComparison& expected) {
  EXPECT_EQ(got.loss, expected.loss);
  EXPECT_EQ(got.baseline_loss, expected.baseline_loss);
  EXPECT_EQ(got.kl, expected.kl);
  EXPECT_EQ(got.same_top, expected.same_top);
}

TEST(CompareHeads, IsTheComparisonOfTheirLogits) {
  for (const auto& [T, V, d] : cases::kHeadLosses) {
    if (V < 2) continue;
    const Rounding rounding{bf16_format()};
    const Operand px = rounded(rounding, cases::normal({T, d}, 1)),
                  qx = rounded(rounding, cases::normal({T, d}, 2));
    const Tensor p_table = cases::normal({V, d}, 3, 0.3), q_table = cases::normal({V, d}, 4, 0.3);
    const std::vector<uint16_t> targets = cases::tokens(T, V, 5);
    for (Context c : {reference(), cpu(best_isa())}) {
      const Weight p_head = prepared(c, rounding, p_table), q_head = prepared(c, rounding, q_table);
      std::vector<TokenComparison> got(static_cast<size_t>(T));
      compare_heads(c, px, p_head, qx, q_head, targets, got);
      for (int64_t t = 0; t < T; ++t) {
        // Rows in the chunks of 64 that the op takes: a product may depend on its number of rows.
        const int64_t begin = t / 64 * 64, end = std::min(begin + 64, T);
        Tensor p = Tensor::empty(DType::kF32, {end - begin, V}),
               q = Tensor::empty(DType::kF32, {end - begin, V});
        if (t == begin || t + 1 == T) {
          head_logits(c, rows_of(px, begin, end), p_head, p);
          head_logits(c, rows_of(qx, begin, end), q_head, q);
          const float *a = p.f32() + (t - begin) * V, *b = q.f32() + (t - begin) * V;
          const int64_t target = targets[static_cast<size_t>(t)];
          expect_same(got[static_cast<size_t>(t)], compare_logits(c, a, b, V, target));
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
