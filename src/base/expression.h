// Formulas in named quantities, as people write them: "params - 50304*width".
//
//   sum    = product { (+ | -) product }
//   product = signed { (* | /) signed }
//   signed = (+ | -) signed | power            so -2^2 is -4
//   power  = atom [ (^ | **) signed ]          from the right: 2^3^2 is 2^9
//   atom   = number | name | function ( sum { , sum } ) | ( sum )
//
// A number may end in k, M, B, G or T (1.5B). A name is made of letters, digits, _ and dots and does
// not begin with a digit; any other stands in double quotes or backquotes: "val/loss". Functions: log
// (natural), log2, log10, exp, sqrt and abs of one quantity, min and max of two or more.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bitlaw {

class Expression {
 public:
  // `what` begins messages. Error with the character at which the text is wrong: "set N: 'a+*b': a
  // number, a name or ( is missing at character 3, before '*b'".
  explicit Expression(std::string_view text, std::string_view what = "formula");

  // What it is a formula of, each name once, in the order of the text.
  const std::vector<std::string>& names() const { return names_; }
  // The character at which each of them first stands, from 1.
  const std::vector<size_t>& places() const { return places_; }

  // An Error of the constructor's kind about the name at a position of names(): problem, place, advice.
  [[noreturn]] void fail_at(size_t name, std::string_view problem,
                            std::string_view advice = {}) const;

  // `inputs` are in the order of names(). Real is double, or a number such as Dual (laws/dual.h) that
  // has exp, log, sqrt, pow and value_of; or one without a value yet (laws/tape.cpp), which has
  // absolute, lesser and greater instead of value_of. Domain errors are NaN or infinite, as in <cmath>.
  template <class Real>
  Real value(std::span<const Real> inputs) const;

 private:
  friend class ExpressionParser;

  enum class Op {
    kNumber,
    kName,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kPower,
    kNegate,
    kLog,
    kLog2,
    kLog10,
    kExp,
    kSqrt,
    kAbs,
    kMin,
    kMax
  };
  struct Step {
    Op op;
    double number = 0;  // of kNumber
    size_t name = 0;    // of kName
  };

  template <class Real>
  static Real unary(Op op, const Real& x);
  template <class Real>
  static Real binary(Op op, const Real& a, const Real& b);

  std::string text_, what_;
  std::vector<std::string> names_;
  std::vector<size_t> places_;
  std::vector<Step> steps_;  // in postfix order
};

namespace expression_detail {

inline double plain(double x) {
  return x;
}
template <class Real>
double plain(const Real& x) {
  return value_of(x);
}
// Numbers without a value cannot be compared.
template <class Real>
concept Valueless = requires(const Real& x) {
  lesser(x, x);
};

}  // namespace expression_detail

template <class Real>
Real Expression::unary(Op op, const Real& x) {
  using std::exp, std::log, std::sqrt;
  constexpr bool is_double = std::is_same_v<Real, double>;
  switch (op) {
    case Op::kNegate:
      return -x;
    case Op::kLog:
      return log(x);
    case Op::kLog2:
      if constexpr (is_double) return std::log2(x);
      return log(x) / Real(std::log(2.0));
    case Op::kLog10:
      if constexpr (is_double) return std::log10(x);
      return log(x) / Real(std::log(10.0));
    case Op::kExp:
      return exp(x);
    case Op::kSqrt:
      return sqrt(x);
    default:  // kAbs
      if constexpr (expression_detail::Valueless<Real>)
        return absolute(x);
      else
        return expression_detail::plain(x) < 0 ? -x : x;
  }
}

template <class Real>
Real Expression::binary(Op op, const Real& a, const Real& b) {
  using std::pow, expression_detail::plain;
  switch (op) {
    case Op::kAdd:
      return a + b;
    case Op::kSubtract:
      return a - b;
    case Op::kMultiply:
      return a * b;
    case Op::kDivide:
      return a / b;
    case Op::kPower:
      return pow(a, b);
    case Op::kMin:
      if constexpr (expression_detail::Valueless<Real>)
        return lesser(a, b);
      else
        return plain(b) < plain(a) ? b : a;
    default:  // kMax
      if constexpr (expression_detail::Valueless<Real>)
        return greater(a, b);
      else
        return plain(a) < plain(b) ? b : a;
  }
}

template <class Real>
Real Expression::value(std::span<const Real> inputs) const {
  std::vector<Real> stack;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.op == Op::kNumber) {
      stack.push_back(Real(step.number));
    } else if (step.op == Op::kName) {
      stack.push_back(inputs[step.name]);
    } else if (step.op >= Op::kNegate && step.op <= Op::kAbs) {
      stack.back() = unary(step.op, stack.back());
    } else {
      const Real right = stack.back();
      stack.pop_back();
      stack.back() = binary(step.op, stack.back(), right);
    }
  }
  return stack.back();
}

}  // namespace bitlaw
