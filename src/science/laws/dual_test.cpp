#include "laws/dual.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace bitlaw {
namespace {

using D2 = Dual<2>;

struct Case {
  const char* name;
  std::function<D2(D2, D2)> dual;
  std::function<double(double, double)> plain;
};

const std::array kCases{
    Case{"a+b", [](D2 a, D2 b) { return a + b; }, [](double a, double b) { return a + b; }},
    Case{"a-b", [](D2 a, D2 b) { return a - b; }, [](double a, double b) { return a - b; }},
    Case{"-a*b", [](D2 a, D2 b) { return -a * b; }, [](double a, double b) { return -a * b; }},
    Case{"a/b", [](D2 a, D2 b) { return a / b; }, [](double a, double b) { return a / b; }},
    Case{"3-a", [](D2 a, D2) { return 3.0 - a; }, [](double a, double) { return 3 - a; }},
    Case{"b-3+2*a", [](D2 a, D2 b) { return b - 3.0 + 2.0 * a; },
         [](double a, double b) { return b - 3 + 2 * a; }},
    Case{"2/b+a/4", [](D2 a, D2 b) { return 2.0 / b + a / 4.0; },
         [](double a, double b) { return 2 / b + a / 4; }},
    Case{"exp", [](D2 a, D2 b) { return exp(a * b); },
         [](double a, double b) { return std::exp(a * b); }},
    Case{"expm1", [](D2 a, D2) { return expm1(a); },
         [](double a, double) { return std::expm1(a); }},
    Case{"log", [](D2 a, D2 b) { return log(a + b); },
         [](double a, double b) { return std::log(a + b); }},
    Case{"sqrt", [](D2 a, D2 b) { return sqrt(a * b); },
         [](double a, double b) { return std::sqrt(a * b); }},
    Case{"tanh", [](D2 a, D2 b) { return tanh(a - b); },
         [](double a, double b) { return std::tanh(a - b); }},
    Case{"pow", [](D2 a, D2) { return pow(a, 2.5); },
         [](double a, double) { return std::pow(a, 2.5); }},
    Case{"compound",
         [](D2 a, D2 b) {
           a += b;
           a *= b;
           a -= 1.0;
           a /= b;
           return a;
         },
         [](double a, double b) { return ((a + b) * b - 1) / b; }},
};

TEST(Dual, ValueAndGradientAgreeWithCentralDifferences) {
  for (const Case& c : kCases) {
    for (const auto& [a, b] : {std::pair{0.7, 1.3}, {2.1, 0.4}}) {
      const D2 result = c.dual(D2::variable(a, 0), D2::variable(b, 1));
      EXPECT_DOUBLE_EQ(result.value, c.plain(a, b)) << c.name;
      // Central differences err by h^2 f'''/6 and by rounding, 2e-16 f / h: about 1e-10 at this h.
      const double h = 1e-5;
      EXPECT_NEAR(result.d[0], (c.plain(a + h, b) - c.plain(a - h, b)) / (2 * h), 1e-8) << c.name;
      EXPECT_NEAR(result.d[1], (c.plain(a, b + h) - c.plain(a, b - h)) / (2 * h), 1e-8) << c.name;
    }
  }
}

}  // namespace
}  // namespace bitlaw
