#include "laws/tape.h"

#include <cmath>
#include <map>
#include <tuple>

#include "base/isa.h"

namespace bitlaw {
namespace {

class TapeBuilder {
 public:
  int number(double value) { return add({.op = TapeOp::kNumber, .number = value}); }
  int leaf(TapeOp op, int at) {
    return add({.op = op,
                .at = at,
                .of_rows = op == TapeOp::kColumn,
                .of_constants = op == TapeOp::kConstant});
  }

  int step(TapeOp op, int a, int b = -1) {
    const TapeStep& x = steps_[static_cast<size_t>(a)];
    if (op == TapeOp::kLog && x.op == TapeOp::kExp) return x.a;
    if (op == TapeOp::kPower) {
      if (x.op == TapeOp::kExp) return step(TapeOp::kExp, step(TapeOp::kMultiply, x.a, b));
      if (const int plain = plain_power(a, steps_[static_cast<size_t>(b)]); plain >= 0)
        return plain;
    }
    TapeStep out{.op = op, .a = a, .b = b};
    for (const int operand : {a, b}) {
      if (operand < 0) continue;
      out.of_rows |= steps_[static_cast<size_t>(operand)].of_rows;
      out.of_constants |= steps_[static_cast<size_t>(operand)].of_constants;
    }
    return add(out);
  }

  // With the result last, and nothing that it does not need.
  std::vector<TapeStep> take(int result) {
    std::vector<bool> used(steps_.size(), false);
    used[static_cast<size_t>(result)] = true;
    for (size_t i = static_cast<size_t>(result) + 1; i-- > 0;) {
      if (!used[i]) continue;
      for (const int operand : {steps_[i].a, steps_[i].b}) {
        if (operand >= 0) used[static_cast<size_t>(operand)] = true;
      }
    }
    std::vector<int> place(steps_.size(), -1);
    std::vector<TapeStep> out;
    for (size_t i = 0; i <= static_cast<size_t>(result); ++i) {
      if (!used[i]) continue;
      place[i] = static_cast<int>(out.size());
      out.push_back(steps_[i]);
      for (int* operand : {&out.back().a, &out.back().b}) {
        if (*operand >= 0) *operand = place[static_cast<size_t>(*operand)];
      }
    }
    return out;
  }

 private:
  // x^2, x^-1 and so on without a logarithm, so that x may be negative; -1 for other powers.
  int plain_power(int x, const TapeStep& power) {
    if (power.op != TapeOp::kNumber) return -1;
    const double n = power.number;
    if (n == 0.5) return step(TapeOp::kSqrt, x);
    if (n != std::floor(n) || std::fabs(n) > 16) return -1;
    if (n == 0) return number(1);
    int out = x;
    for (int i = 1; i < static_cast<int>(std::fabs(n)); ++i) out = step(TapeOp::kMultiply, out, x);
    return n > 0 ? out : step(TapeOp::kDivide, number(1), out);
  }

  int add(const TapeStep& step) {
    const auto key = std::tuple(step.op, step.a, step.b, step.at, step.number);
    const auto [found, is_new] = known_.emplace(key, static_cast<int>(steps_.size()));
    if (is_new) steps_.push_back(step);
    return found->second;
  }

  std::vector<TapeStep> steps_;
  std::map<std::tuple<TapeOp, int, int, int, double>, int> known_;
};

// A number without a value yet: a step of a tape; or a plain number, which needs none.
struct Symbol {
  TapeBuilder* tape = nullptr;
  int step = -1;
  double number = 0;

  Symbol() = default;
  Symbol(double value) : number(value) {}
  Symbol(TapeBuilder* of, int at) : tape(of), step(at) {}
};

int step_of(const Symbol& x, TapeBuilder* tape) {
  return x.tape != nullptr ? x.step : tape->number(x.number);
}

template <class Plain>
Symbol one(TapeOp op, const Symbol& x, const Plain& plain) {
  if (x.tape == nullptr) return plain(x.number);
  return {x.tape, x.tape->step(op, x.step)};
}
template <class Plain>
Symbol two(TapeOp op, const Symbol& a, const Symbol& b, const Plain& plain) {
  TapeBuilder* const tape = a.tape != nullptr ? a.tape : b.tape;
  if (tape == nullptr) return plain(a.number, b.number);
  const int left = step_of(a, tape), right = step_of(b, tape);
  return {tape, tape->step(op, left, right)};
}

Symbol operator+(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kAdd, a, b, [](double x, double y) { return x + y; });
}
Symbol operator-(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kSubtract, a, b, [](double x, double y) { return x - y; });
}
Symbol operator*(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kMultiply, a, b, [](double x, double y) { return x * y; });
}
Symbol operator/(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kDivide, a, b, [](double x, double y) { return x / y; });
}
Symbol pow(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kPower, a, b, [](double x, double y) { return std::pow(x, y); });
}
Symbol lesser(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kMin, a, b, [](double x, double y) { return y < x ? y : x; });
}
Symbol greater(const Symbol& a, const Symbol& b) {
  return two(TapeOp::kMax, a, b, [](double x, double y) { return x < y ? y : x; });
}
Symbol operator-(const Symbol& x) {
  return one(TapeOp::kNegate, x, [](double v) { return -v; });
}
Symbol log(const Symbol& x) {
  return one(TapeOp::kLog, x, [](double v) { return std::log(v); });
}
Symbol exp(const Symbol& x) {
  return one(TapeOp::kExp, x, [](double v) { return std::exp(v); });
}
Symbol sqrt(const Symbol& x) {
  return one(TapeOp::kSqrt, x, [](double v) { return std::sqrt(v); });
}
Symbol absolute(const Symbol& x) {
  return one(TapeOp::kAbs, x, [](double v) { return std::fabs(v); });
}

EvaluateTape evaluator() {
  static const EvaluateTape chosen = [] {
    switch (best_isa()) {
      case Isa::kAvx512:
        return kEvaluateTapeAvx512;
      case Isa::kAvx2:
        return kEvaluateTapeAvx2;
      case Isa::kPlain:
        break;
    }
    return kEvaluateTapePlain;
  }();
  return chosen;
}

}  // namespace

Tape::Tape(const Expression& formula, std::span<const Meaning> names, int width) : width_(width) {
  TapeBuilder builder;
  std::vector<Symbol> inputs;
  for (const Meaning& name : names) {
    if (name.op == TapeOp::kNumber) {
      inputs.emplace_back(name.number);
      continue;
    }
    int leaf = builder.leaf(name.op, name.at);
    if (name.times >= 0) {
      const int other = builder.leaf(name.op, name.times);
      leaf = builder.step(TapeOp::kAdd, builder.number(std::log(name.factor)),
                          builder.step(TapeOp::kAdd, leaf, other));
    }
    inputs.emplace_back(&builder, name.logarithm ? builder.step(TapeOp::kExp, leaf) : leaf);
  }
  const Symbol result = formula.value(std::span<const Symbol>(inputs));
  steps_ = builder.take(step_of(result, &builder));
}

void Tape::evaluate(const double* p, const double* columns, size_t stride, double* values,
                    double* jacobian) const {
  thread_local std::vector<double> scratch;
  scratch.resize(static_cast<size_t>(kTapeScratch) * kTapeBlock * steps_.size());
  const TapeView view{steps_.data(), static_cast<int>(steps_.size()), width_};
  evaluator()(view, p, columns, stride, values, jacobian, scratch.data());
}

double Tape::value(const double* p, const double* row) const {
  thread_local std::vector<double> values;
  values.resize(steps_.size());
  for (size_t i = 0; i < steps_.size(); ++i) {
    const TapeStep& step = steps_[i];
    const double a = step.a >= 0 ? values[static_cast<size_t>(step.a)] : 0;
    const double b = step.b >= 0 ? values[static_cast<size_t>(step.b)] : 0;
    double& out = values[i];
    switch (step.op) {
      case TapeOp::kNumber:
        out = step.number;
        break;
      case TapeOp::kConstant:
        out = p[step.at];
        break;
      case TapeOp::kColumn:
        out = row[step.at];
        break;
      case TapeOp::kAdd:
        out = a + b;
        break;
      case TapeOp::kSubtract:
        out = a - b;
        break;
      case TapeOp::kMultiply:
        out = a * b;
        break;
      case TapeOp::kDivide:
        out = a / b;
        break;
      case TapeOp::kPower:
        // As rows are evaluated, by exp(b log a): there is none below zero.
        out = a < 0 ? std::numeric_limits<double>::quiet_NaN() : std::pow(a, b);
        break;
      case TapeOp::kNegate:
        out = -a;
        break;
      case TapeOp::kLog:
        out = std::log(a);
        break;
      case TapeOp::kExp:
        out = std::exp(a);
        break;
      case TapeOp::kSqrt:
        out = std::sqrt(a);
        break;
      case TapeOp::kAbs:
        out = std::fabs(a);
        break;
      case TapeOp::kMin:
        out = b < a ? b : a;
        break;
      case TapeOp::kMax:
        out = a < b ? b : a;
        break;
    }
  }
  return values.back();
}

}  // namespace bitlaw
