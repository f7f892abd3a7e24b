#include "base/search.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

double parabola(double x) {
  return (x - 1.234) * (x - 1.234) + 5;
}

// A value near 5 is known to 1e-15: the place of its minimum to the square root of that.
TEST(Search, FindsTheMinimum) {
  EXPECT_NEAR(minimise(parabola, -10, 10).x, 1.234, 1e-7);
  EXPECT_NEAR(minimise_near(parabola, 7, 0.5, -10, 10, 1e-8).x, 1.234, 1e-7);
  EXPECT_NEAR(golden_section(parabola, -10, 10, 1e-8).x, 1.234, 2e-7);
  EXPECT_NEAR(polish(parabola, 1.2341, 1e-3), 1.234, 1e-10);  // derivatives know it better
}

TEST(Search, ReturnsAnEndExactly) {
  const auto rising = [](double x) { return x; };
  EXPECT_EQ(minimise(rising, 2, 3).x, 2);
  EXPECT_EQ(minimise_near(rising, 2.5, 0.1, 2, 3, 1e-9).x, 2);
  EXPECT_EQ(minimise_near([](double x) { return -x; }, 2.5, 0.1, 2, 3, 1e-9).x, 3);
}

TEST(Search, FindsTheRoot) {
  const auto square = [](double x) { return x * x - 2; };
  EXPECT_NEAR(find_root(square, 0, 2), std::sqrt(2.0), 1e-15);
  EXPECT_NEAR(root_of_falling([&](double x) { return -square(x); }, 0, 2), std::sqrt(2.0), 1e-12);
  EXPECT_EQ(root_of_falling([](double x) { return 3 - 2 * x; }, 0, 2), 1.5);  // straight: one step
  EXPECT_TRUE(std::isnan(root_of_falling([](double x) { return 3 - x; }, 0, 2)));
  // Infinite on one side, as a law that diverges.
  const auto cliff = [](double x) { return x < 1 ? INFINITY : 2 - x; };
  EXPECT_NEAR(root_of_falling(cliff, 0, 5), 2, 1e-9);
}

// Where a condition stops to hold.
TEST(Search, Bisects) {
  const Bracket found = bisect([](double x) { return x * x < 2; }, 0, 2, 60);
  EXPECT_NEAR(found.low, std::sqrt(2.0), 1e-15);
  EXPECT_LE(found.low, found.high);
  EXPECT_NEAR(bisect([](double x) { return x < 1; }, 0, 3, 60, 1e-3).high, 1, 2e-3);
}

}  // namespace
}  // namespace bitlaw
