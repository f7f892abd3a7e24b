// Guarantees of products in BF16 terms beyond a bound: integers stay integers, and sums over blocks
// are in the order of k.
#include "ops/cpu/split_products.h"

#include <array>
#include <cmath>

#include "ops/linear.h"
#include "ops/test_support.h"

namespace bitlaw::cpu {
namespace {

using namespace testing_ops;

Context machine() {
  Context context;
  context.backend = &kCpuBackend;
  return context;
}

Rounding in_groups(int bits, int group) {
  Rounding rounding{integer_format(bits), ScaleAxis::kGroup, group};
  rounding.keeps_codes = true;
  return rounding;
}

struct Problem {
  Operand x;
  Weight w;
  Tensor y;
  int64_t T, N, K;
};

Problem solved(Context& c, const Rounding& for_x, const Rounding& for_w, int64_t T, int64_t N,
               int64_t K) {
  Problem p{rounded(for_x, cases::normal({T, K}, 1)),
            prepared(c, for_w, cases::normal({N, K}, 2), false),
            Tensor::empty(DType::kF32, {T, N}),
            T,
            N,
            K};
  linear_forward(c, p.x, p.w, false, p.y);
  return p;
}

// sum over k in [begin, end) of integers, exact.
double integer_sum(const Problem& p, int64_t t, int64_t n, int64_t begin, int64_t end) {
  double sum = 0;
  for (int64_t k = begin; k < end; ++k)
    sum += p.x.codes.at(t * p.K + k) * p.w.operand.codes.at(n * p.K + k);
  return sum;
}

// Every block's integers are summed exactly; then sum = fma(block, a b, sum), blocks ascending.
TEST(SplitProducts, GroupsAreIntegerArithmeticThenOneFusedSumABlock) {
  Context c = machine();
  for (const auto& [x_group, w_group] :
       {std::pair{32, 32}, {64, 32}, {32, 128}, {24, 24}, {48, 16}}) {
    for (int bits : {2, 4, 8}) {
      const Rounding for_x = in_groups(bits, x_group), for_w = in_groups(bits, w_group);
      const Problem p = solved(c, for_x, for_w, 37, 50, 200);
      if (!is_split_product(c, p.x, p.w.operand))
        GTEST_SKIP() << "this machine takes products of FP32 values instead";
      SCOPED_TRACE(testing::Message() << bits << " bits, groups " << x_group << " and " << w_group);
      const int64_t block = std::min(x_group, w_group);
      for (int64_t t = 0; t < p.T; ++t) {
        for (int64_t n = 0; n < p.N; ++n) {
          float sum = 0;
          for (int64_t k = 0; k < p.K; k += block) {
            const float scale = static_cast<float>(entry_scale(p.x, t * p.K + k)) *
                                static_cast<float>(entry_scale(p.w.operand, n * p.K + k));
            const auto exact =
                static_cast<float>(integer_sum(p, t, n, k, std::min(k + block, p.K)));
            sum = k == 0 ? exact * scale : std::fma(exact, scale, sum);
          }
          ASSERT_EQ(p.y.f32()[t * p.N + n], sum) << t << ", " << n;
        }
      }
    }
  }
}

// Integers of up to 16 bits are two BF16 terms exactly: sums up to 2^24 have no rounding.
TEST(SplitProducts, WideIntegersAreIntegerArithmetic) {
  Context c = machine();
  for (const auto& [x_bits, w_bits, K] :
       {std::array{12, 12, 4}, {10, 10, 64}, {16, 4, 73}, {4, 16, 73}, {16, 8, 4}}) {
    Rounding for_x{integer_format(x_bits), ScaleAxis::kTensor},
        for_w{integer_format(w_bits), ScaleAxis::kRow};
    for_x.keeps_codes = for_w.keeps_codes = true;
    SCOPED_TRACE(testing::Message() << x_bits << " and " << w_bits << " bits");
    const Problem p = solved(c, for_x, for_w, 33, 49, K);
    if (!is_split_product(c, p.x, p.w.operand))
      GTEST_SKIP() << "this machine takes products of FP32 values instead";
    for (int64_t t = 0; t < p.T; ++t) {
      for (int64_t n = 0; n < p.N; ++n) {
        const float scale = p.x.scales.f32()[t] * p.w.operand.scales.f32()[n];
        ASSERT_EQ(p.y.f32()[t * p.N + n], static_cast<float>(integer_sum(p, t, n, 0, p.K)) * scale)
            << t << ", " << n;
      }
    }
  }
}

// Any float is three terms: against codes of one the exact product of two numbers survives.
TEST(SplitProducts, ValuesAreThreeTermsExactly) {
  Context c = machine();
  const Operand x{cases::normal({40, 1}, 1), {}};
  Rounding for_w{integer_format(2), ScaleAxis::kRow};
  const Weight w = prepared(c, for_w, cases::normal({20, 1}, 2), false);
  if (!is_split_product(c, x, w.operand))
    GTEST_SKIP() << "this machine takes products of FP32 values instead";
  Tensor y = Tensor::empty(DType::kF32, {40, 20});
  linear_forward(c, x, w, false, y);
  for (int64_t t = 0; t < 40; ++t) {
    for (int64_t n = 0; n < 20; ++n) {  // codes are -1, 0 and 1
      const auto code = static_cast<float>(w.operand.codes.at(n));
      ASSERT_EQ(y.f32()[t * 20 + n], x.codes.f32()[t] * code * w.operand.scales.f32()[n]);
    }
  }
}

}  // namespace
}  // namespace bitlaw::cpu
