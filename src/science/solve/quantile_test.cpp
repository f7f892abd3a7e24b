#include "solve/quantile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace bitlaw {
namespace {

// Printed tables (NIST/SEMATECH e-Handbook 1.3.6.7.2), three decimals.
TEST(Quantile, AgreesWithPrintedTables) {
  struct Case {
    double share, freedom, t;
  };
  for (const Case& each : {Case{0.95, 1, 6.314}, Case{0.95, 2, 2.920}, Case{0.95, 5, 2.015},
                           Case{0.975, 10, 2.228}, Case{0.99, 30, 2.457}, Case{0.999, 4, 7.173},
                           Case{0.95, std::numeric_limits<double>::infinity(), 1.645}}) {
    EXPECT_NEAR(t_quantile(each.share, each.freedom), each.t, 5.1e-4);
    EXPECT_NEAR(t_quantile(1 - each.share, each.freedom), -each.t, 5.1e-4);
  }
}

// One degree of freedom is Cauchy's distribution, two have a closed form.
TEST(Quantile, AgreesWithClosedForms) {
  for (const double t : {-30.0, -2.0, -0.1, 0.0, 0.7, 5.0}) {
    EXPECT_NEAR(t_share(t, 1), 0.5 + std::atan(t) / M_PI, 1e-14);
    EXPECT_NEAR(t_share(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-14);
    EXPECT_NEAR(t_share(t, 1e6), normal_share(t), 1e-6);  // differs by about (t^3 + t) phi / (4 n)
  }
}

TEST(Quantile, InvertsItsShare) {
  for (const double freedom : {1.0, 3.5, 20.0, 400.0}) {
    for (const double share : {0.001, 0.05, 0.5, 0.9, 0.999}) {
      EXPECT_NEAR(t_share(t_quantile(share, freedom), freedom), share, 1e-12);
    }
  }
}

}  // namespace
}  // namespace bitlaw
