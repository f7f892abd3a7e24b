#include "base/expression.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "base/error.h"

namespace bitlaw {
namespace {

double formula_value(const std::string& text, const std::vector<double>& inputs = {}) {
  return Expression(text).value(std::span<const double>(inputs));
}

std::string mistake_in(const std::string& text) {
  try {
    const Expression parsed(text, "set N");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Expression, BindsAsInMathematics) {
  for (const auto& [text, value] : {std::pair{"1+2*3", 7.0},
                                    {"(1+2)*3", 9.0},
                                    {"8-3-2", 3.0},
                                    {"8/4/2", 1.0},
                                    {"2^3^2", 512.0},
                                    {"2**10", 1024.0},
                                    {"-2^2", -4.0},
                                    {"(-2)^2", 4.0},
                                    {"2^-1", 0.5},
                                    {"2*-3", -6.0},
                                    {"--3", 3.0},
                                    {"+3 - -3", 6.0},
                                    {" 1 / 2 ", 0.5},
                                    {"1.5e3", 1500.0},
                                    {"2E-1", 0.2},
                                    {".5", 0.5},
                                    {"1.5B", 1.5e9},
                                    {"50k+1", 50001.0},
                                    {"6*70e6*1.4B", 6 * 70e6 * 1.4e9}})
    EXPECT_EQ(formula_value(text), value) << text;
}

TEST(Expression, FunctionsAreThoseOfTheStandardLibrary) {
  for (const auto& [text, value] : {std::pair{"log(10)", std::log(10.0)},
                                    {"log2(8)", 3.0},
                                    {"log10(1000)", 3.0},
                                    {"exp(1)", std::exp(1.0)},
                                    {"sqrt(2)", std::sqrt(2.0)},
                                    {"abs(-3)", 3.0},
                                    {"abs(3)", 3.0},
                                    {"min(3, 1, 2)", 1.0},
                                    {"max(3, 1, 2)", 3.0},
                                    {"max(1, 2) - min(1, 2)", 1.0},
                                    {"exp(-log(4)*.5)", 0.5}})
    EXPECT_DOUBLE_EQ(formula_value(text), value) << text;
  EXPECT_TRUE(std::isnan(formula_value("log(-1)")));
  EXPECT_TRUE(std::isinf(formula_value("1/0")));
}

TEST(Expression, NamesAreInputsInTheirOrder) {
  const Expression expression("params - vocab*d_model*2 + args.lr*params");
  EXPECT_EQ(expression.names(),
            (std::vector<std::string>{"params", "vocab", "d_model", "args.lr"}));
  const std::vector<double> inputs{1e6, 500, 10, 0.5};
  EXPECT_EQ(expression.value(std::span<const double>(inputs)), 1e6 - 500 * 10 * 2 + 0.5e6);
  EXPECT_EQ(Expression("\"val/loss\" * `n params`").names(),
            (std::vector<std::string>{"val/loss", "n params"}));
  EXPECT_EQ(formula_value("min * 2", {3}), 6) << "a function's name alone is a name";
  EXPECT_EQ(Expression("größe+1").names(), (std::vector<std::string>{"größe"}));
}

TEST(Expression, AMistakeIsPointedAt) {
  for (const auto& [text, words] :
       {std::pair{"a+*b", "'a+*b': a number, a name or ( is missing at character 3, before '*b'"},
        {"", "is missing at its end"},
        {"2*", "a number, a name or ( is missing at its end"},
        {"(a+b", "a ) is missing at its end"},
        {"a)", "no ( belongs to the ) at character 2"},
        {"a b", "an operator is missing at character 3, before 'b'"},
        {"2x", "is not a number at character 1, before '2x'"},
        {"1.2.3", "is not a number at character 1"},
        {"lg(3)", "unknown function 'lg'"},
        {"log(1,2)", "log takes one quantity; at character 7"},
        {"max(1)", "max takes two quantities or more, with commas; at character 6"},
        {"max(1,)", "is missing at character 7"},
        {"log()", "is missing at character 5"},
        {"\"a", "the quote never ends at character 1"},
        {"\"\"", "the name is empty at character 1"},
        {"a = 3", "an operator is missing at character 3"},
        {"a % b", "an operator is missing at character 3"}}) {
    EXPECT_NE(mistake_in(text).find(words), std::string::npos) << mistake_in(text);
    EXPECT_TRUE(mistake_in(text).starts_with("set N: '")) << mistake_in(text);
  }
  EXPECT_NE(mistake_in(std::string(100000, '(')).find("nested too deep"), std::string::npos);
  EXPECT_NE(mistake_in(std::string(100000, '-') + "1").find("nested too deep"), std::string::npos);
}

// A number with its derivative in one variable.
struct Slope {
  double value, slope;
  Slope(double value, double slope = 0) : value(value), slope(slope) {}
  friend Slope operator+(Slope a, Slope b) { return {a.value + b.value, a.slope + b.slope}; }
  friend Slope operator-(Slope a, Slope b) { return {a.value - b.value, a.slope - b.slope}; }
  friend Slope operator-(Slope a) { return {-a.value, -a.slope}; }
  friend Slope operator*(Slope a, Slope b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend Slope operator/(Slope a, Slope b) {
    return {a.value / b.value, (a.slope - a.value / b.value * b.slope) / b.value};
  }
  friend Slope exp(Slope a) { return {std::exp(a.value), a.slope * std::exp(a.value)}; }
  friend Slope log(Slope a) { return {std::log(a.value), a.slope / a.value}; }
  friend Slope sqrt(Slope a) { return {std::sqrt(a.value), a.slope / (2 * std::sqrt(a.value))}; }
  friend Slope pow(Slope a, Slope b) { return exp(b * log(a)); }
  friend double value_of(const Slope& a) { return a.value; }
};

TEST(Expression, DerivativesComeFromTheSameText) {
  const double x = 3;
  for (const auto& [text, slope] : {std::pair{"x^2", 6.0},
                                    {"1/x", -1.0 / 9},
                                    {"exp(2*x)", 2 * std::exp(6.0)},
                                    {"log(x) + log2(x)", 1 / x + 1 / (x * std::log(2.0))},
                                    {"sqrt(x)", 0.5 / std::sqrt(3.0)},
                                    {"max(x, 1) + min(x, 1)", 1.0},
                                    {"abs(1 - x)", 1.0},
                                    {"406/x^.34", -0.34 * 406 * std::pow(3, -1.34)}}) {
    const std::vector<Slope> inputs{{x, 1}};
    const Slope result = Expression(text).value(std::span<const Slope>(inputs));
    EXPECT_NEAR(result.slope, slope, 1e-13 * std::abs(slope)) << text;
    EXPECT_NEAR(result.value, formula_value(text, {x}), 1e-13 * std::abs(result.value)) << text;
  }
}

// Random trees are written with all their brackets, and evaluated as they are made.
TEST(Expression, AgreesWithTheTreeThatItWasWrittenFrom) {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const std::function<std::pair<std::string, double>(int)> make =
      [&](int depth) -> std::pair<std::string, double> {
    if (depth == 0 || below(4) == 0) {
      const double number = below(1000) / 8.0;
      return {fmt::format("{}", number), number};
    }
    const auto [a, x] = make(depth - 1);
    const auto [b, y] = make(depth - 1);
    switch (below(6)) {
      case 0:
        return {fmt::format("({}+{})", a, b), x + y};
      case 1:
        return {fmt::format("({}-{})", a, b), x - y};
      case 2:
        return {fmt::format("({}*{})", a, b), x * y};
      case 3:
        return {fmt::format("({}/{})", a, b), x / y};
      case 4:
        return {fmt::format("max({},{})", a, b), std::max(x, y)};
      default:
        return {fmt::format("-({})", a), -x};
    }
  };
  for (int i = 0; i < 200; ++i) {
    const auto [text, value] = make(6);
    const double read = formula_value(text);
    EXPECT_TRUE(read == value || (std::isnan(read) && std::isnan(value))) << text;
  }
}

}  // namespace
}  // namespace bitlaw
