// Included by one file per instruction set, which defines kTapeIsa before.
#include <cstddef>
#include <cstring>
#include <limits>

#include "laws/batch.h"
#include "laws/tape_steps.h"

namespace bitlaw {
namespace {

using TapeBatch = BatchOf<kTapeIsa>;

// out = f(inputs), `size` numbers of each.
template <class F>
BITLAW_INLINE void each(size_t size, double* out, const double* a, const F& f) {
  for (size_t i = 0; i < size; i += TapeBatch::kLanes) f(TapeBatch::load(a + i)).store(out + i);
}
template <class F>
BITLAW_INLINE void each(size_t size, double* out, const double* a, const double* b, const F& f) {
  for (size_t i = 0; i < size; i += TapeBatch::kLanes)
    f(TapeBatch::load(a + i), TapeBatch::load(b + i)).store(out + i);
}
// slope_of_operand += slope * f(...)
template <class F>
BITLAW_INLINE void pass(size_t size, double* to, const double* slope, const F& f) {
  for (size_t i = 0; i < size; i += TapeBatch::kLanes)
    (TapeBatch::load(to + i) + f(TapeBatch::load(slope + i), i)).store(to + i);
}

// x^p where x is 0 has the value 0 and no slope; NaN below 0.
inline void power_forward(size_t size, double* out, double* log_x, const double* x,
                          const double* p) {
  for (size_t i = 0; i < size; i += TapeBatch::kLanes) {
    const TapeBatch logarithm = log(TapeBatch::load(x + i));
    logarithm.store(log_x + i);
    exp(TapeBatch::load(p + i) * logarithm).store(out + i);
  }
}

struct TapePlace {
  double *value, *extra, *slope;
};

inline void tape_forward(const TapeStep& step, size_t size, const double* p, const double* columns,
                         size_t stride, double* out, double* extra, const double* a,
                         const double* b) {
  using B = TapeBatch;
  const auto fill = [&](double number) {
    for (size_t i = 0; i < size; i += B::kLanes) B(number).store(out + i);
  };
  switch (step.op) {
    case TapeOp::kNumber:
      return fill(step.number);
    case TapeOp::kConstant:
      return fill(p[step.at]);
    case TapeOp::kColumn:
      std::memcpy(out, columns + static_cast<size_t>(step.at) * stride, size * sizeof(double));
      return;
    case TapeOp::kAdd:
      return each(size, out, a, b, [](const B& x, const B& y) { return x + y; });
    case TapeOp::kSubtract:
      return each(size, out, a, b, [](const B& x, const B& y) { return x - y; });
    case TapeOp::kMultiply:
      return each(size, out, a, b, [](const B& x, const B& y) { return x * y; });
    case TapeOp::kDivide:
      return each(size, out, a, b, [](const B& x, const B& y) { return x / y; });
    case TapeOp::kPower:
      return power_forward(size, out, extra, a, b);
    case TapeOp::kNegate:
      return each(size, out, a, [](const B& x) { return -x; });
    case TapeOp::kLog:
      return each(size, out, a, [](const B& x) { return log(x); });
    case TapeOp::kExp:
      return each(size, out, a, [](const B& x) { return exp(x); });
    case TapeOp::kSqrt:
      return each(size, out, a, [](const B& x) { return sqrt(x); });
    case TapeOp::kAbs:
      return each(size, out, a, [](const B& x) { return abs(x); });
    case TapeOp::kMin:
      return each(size, out, a, b, [](const B& x, const B& y) { return select(y < x, y, x); });
    case TapeOp::kMax:
      return each(size, out, a, b, [](const B& x, const B& y) { return select(x < y, y, x); });
  }
}

// From the slope of a step to those of its operands; null: one that has no derivatives.
inline void tape_back(const TapeStep& step, size_t size, const TapePlace& at, const double* x,
                      const double* y, double* to_x, double* to_y) {
  using B = TapeBatch;
  const auto X = [&](size_t i) { return B::load(x + i); };
  const auto Y = [&](size_t i) { return B::load(y + i); };
  const auto V = [&](size_t i) { return B::load(at.value + i); };
  const auto give = [&](double* to, const auto& f) {
    if (to) pass(size, to, at.slope, f);
  };
  switch (step.op) {
    case TapeOp::kAdd:
      give(to_x, [&](const B& s, size_t) { return s; });
      give(to_y, [&](const B& s, size_t) { return s; });
      return;
    case TapeOp::kSubtract:
      give(to_x, [&](const B& s, size_t) { return s; });
      give(to_y, [&](const B& s, size_t) { return -s; });
      return;
    case TapeOp::kMultiply:
      give(to_x, [&](const B& s, size_t i) { return s * Y(i); });
      give(to_y, [&](const B& s, size_t i) { return s * X(i); });
      return;
    case TapeOp::kDivide:
      give(to_x, [&](const B& s, size_t i) { return s / Y(i); });
      give(to_y, [&](const B& s, size_t i) { return -(s * V(i) / Y(i)); });
      return;
    case TapeOp::kPower:
      give(to_x, [&](const B& s, size_t i) {
        return select(X(i).v == 0.0, B(0.0), s * Y(i) * V(i) / X(i));
      });
      give(to_y, [&](const B& s, size_t i) {
        return select(X(i).v == 0.0, B(0.0), s * V(i) * B::load(at.extra + i));
      });
      return;
    case TapeOp::kNegate:
      return give(to_x, [&](const B& s, size_t) { return -s; });
    case TapeOp::kLog:
      return give(to_x, [&](const B& s, size_t i) { return s / X(i); });
    case TapeOp::kExp:
      return give(to_x, [&](const B& s, size_t i) { return s * V(i); });
    case TapeOp::kSqrt:
      return give(to_x, [&](const B& s, size_t i) { return s * 0.5 / V(i); });
    case TapeOp::kAbs:
      return give(to_x, [&](const B& s, size_t i) { return select(X(i) < 0.0, -s, s); });
    case TapeOp::kMin:
      give(to_x, [&](const B& s, size_t i) { return select(Y(i) < X(i), B(0.0), s); });
      give(to_y, [&](const B& s, size_t i) { return select(Y(i) < X(i), s, B(0.0)); });
      return;
    case TapeOp::kMax:
      give(to_x, [&](const B& s, size_t i) { return select(X(i) < Y(i), B(0.0), s); });
      give(to_y, [&](const B& s, size_t i) { return select(X(i) < Y(i), s, B(0.0)); });
      return;
    case TapeOp::kNumber:
    case TapeOp::kConstant:
    case TapeOp::kColumn:
      return;
  }
}

void evaluate_tape(const TapeView& tape, const double* p, const double* columns, size_t stride,
                   double* values, double* jacobian, double* scratch) {
  const size_t count = static_cast<size_t>(tape.count);
  const auto place = [&](int step) {
    double* const at = scratch + static_cast<size_t>(step) * kTapeScratch * kTapeBlock;
    return TapePlace{at, at + kTapeBlock, at + 2 * kTapeBlock};
  };
  if (jacobian) std::memset(jacobian, 0, static_cast<size_t>(tape.width) * stride * sizeof(double));
  for (size_t from = 0; from < stride; from += kTapeBlock) {
    const size_t size = stride - from < kTapeBlock ? stride - from : kTapeBlock;
    for (size_t i = 0; i < count; ++i) {
      const TapeStep& step = tape.steps[i];
      if (!step.of_rows && from > 0) continue;  // as in the first block
      const TapePlace at = place(static_cast<int>(i));
      tape_forward(step, step.of_rows ? size : kTapeBlock, p, columns + from, stride, at.value,
                   at.extra, step.a >= 0 ? place(step.a).value : nullptr,
                   step.b >= 0 ? place(step.b).value : nullptr);
    }
    const TapePlace result = place(tape.count - 1);
    std::memcpy(values + from, result.value, size * sizeof(double));
    if (!jacobian || !tape.steps[count - 1].of_constants) continue;
    for (size_t i = 0; i < count; ++i) {
      if (tape.steps[i].of_constants)
        std::memset(place(static_cast<int>(i)).slope, 0, size * sizeof(double));
    }
    for (size_t i = 0; i < size; ++i) result.slope[i] = 1;
    for (size_t i = count; i-- > 0;) {
      const TapeStep& step = tape.steps[i];
      if (!step.of_constants) continue;
      const TapePlace at = place(static_cast<int>(i));
      if (step.op == TapeOp::kConstant) {
        std::memcpy(jacobian + static_cast<size_t>(step.at) * stride + from, at.slope,
                    size * sizeof(double));
        continue;
      }
      const auto slope_of = [&](int operand) -> double* {
        return operand >= 0 && tape.steps[operand].of_constants ? place(operand).slope : nullptr;
      };
      tape_back(step, size, at, step.a >= 0 ? place(step.a).value : nullptr,
                step.b >= 0 ? place(step.b).value : nullptr, slope_of(step.a), slope_of(step.b));
    }
  }
}

}  // namespace
}  // namespace bitlaw
