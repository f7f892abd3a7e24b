// The functions inside attention on the tile unit, against the C library's in double.
#include "ops/cpu/amx/attention_amx.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ops/cpu/amx/products_amx.h"

namespace bitlaw::cpu::amx {
namespace {

constexpr double u = 0x1p-24;
constexpr int kCount = 1 << 20;

template <class F>
std::vector<float> all(F f, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  f(x.data(), static_cast<int64_t>(x.size()), y.data());
  return y;
}

TEST(AttentionAmx, PowersOfTwoAreWithinTwoUnitsInTheLastPlace) {
  if (!available()) GTEST_SKIP() << "no tiles here";
  std::vector<float> x(kCount);
  for (int i = 0; i < kCount; ++i) x[i] = -126.0f * static_cast<float>(i) / kCount;
  const std::vector<float> y = all(powers_of_two, x);
  for (int i = 0; i < kCount; ++i) {
    const double exact = std::exp2(static_cast<double>(x[i]));
    ASSERT_NEAR(y[i], exact, 4 * u * exact) << "2^" << x[i];
  }
}

TEST(AttentionAmx, PowersOfTwoAtTheEnds) {
  if (!available()) GTEST_SKIP() << "no tiles here";
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> x(16);
  for (int i = 0; i < 12; ++i) x[i] = static_cast<float>(-i);
  x[12] = -1e4f, x[13] = -1e30f, x[14] = -kInfinity, x[15] = std::nanf("");
  const std::vector<float> y = all(powers_of_two, x);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(y[i], std::exp2(x[i]));
  for (int i = 12; i < 15; ++i) EXPECT_EQ(y[i], 0) << x[i];
  EXPECT_TRUE(std::isnan(y[15]));
}

// n ln 2 + 2 z (1 + z^2/3 + ...), |z| <= 1/5: z carries three roundings, the polynomial and the
// product two, of at most 0.41; the constant and the last sum one each, of the whole.
TEST(AttentionAmx, LogarithmsAreWithinTheirRoundings) {
  if (!available()) GTEST_SKIP() << "no tiles here";
  std::vector<float> x(kCount);
  for (int i = 0; i < kCount; ++i) {
    x[i] = static_cast<float>(std::exp2(14.0 * static_cast<double>(i) / kCount - 0.5));
  }
  const std::vector<float> y = all(logarithms, x);
  for (int i = 0; i < kCount; ++i) {
    const double exact = std::log(static_cast<double>(x[i]));
    ASSERT_NEAR(y[i], exact, 5 * u * 0.41 + 2 * u * std::fabs(exact)) << "ln " << x[i];
  }
}

}  // namespace
}  // namespace bitlaw::cpu::amx
