#include "laws/formula_structure.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "laws/formula_names.h"

namespace bitlaw {

using namespace formula_column;

int degree(std::span<const TapeStep> steps, const std::vector<bool>& of) {
  std::vector<int> out;
  for (const TapeStep& step : steps) {
    const int a = step.a >= 0 ? out[static_cast<size_t>(step.a)] : 0;
    const int b = step.b >= 0 ? out[static_cast<size_t>(step.b)] : 0;
    switch (step.op) {
      case TapeOp::kConstant:
        out.push_back(of[static_cast<size_t>(step.at)] ? 1 : 0);
        break;
      case TapeOp::kAdd:
      case TapeOp::kSubtract:
        out.push_back(std::max(a, b));
        break;
      case TapeOp::kNegate:
        out.push_back(a);
        break;
      case TapeOp::kMultiply:
        out.push_back(std::min(a + b, 2));
        break;
      case TapeOp::kDivide:
        out.push_back(b > 0 ? 2 : a);
        break;
      default:
        out.push_back(a + b > 0 ? 2 : 0);
    }
  }
  return out.back();
}

bool is_proportional(std::span<const TapeStep> steps, int constant) {
  enum { kFree, kTimes, kOther };
  std::vector<int> out;
  for (const TapeStep& step : steps) {
    const int a = step.a >= 0 ? out[static_cast<size_t>(step.a)] : kFree;
    const int b = step.b >= 0 ? out[static_cast<size_t>(step.b)] : kFree;
    switch (step.op) {
      case TapeOp::kConstant:
        out.push_back(step.at == constant ? kTimes : kFree);
        break;
      case TapeOp::kMultiply:
        out.push_back(std::min(a + b, static_cast<int>(kOther)));
        break;
      case TapeOp::kDivide:
        out.push_back(b == kFree ? a : kOther);
        break;
      case TapeOp::kNegate:
        out.push_back(a);
        break;
      case TapeOp::kAdd:
      case TapeOp::kSubtract:
        out.push_back(a == b ? a : kOther);
        break;
      default:
        out.push_back(a == kFree && b == kFree ? kFree : kOther);
    }
  }
  return out.back() == kTimes;
}

uint64_t meets(std::span<const TapeStep> steps, int constant) {
  std::vector<uint64_t> columns;
  std::vector<bool> carries;  // the constant, and nothing of the rows yet
  uint64_t out = 0;
  for (const TapeStep& step : steps) {
    uint64_t here = step.op == TapeOp::kColumn ? uint64_t{1} << step.at : 0;
    bool carried = step.op == TapeOp::kConstant && step.at == constant;
    for (const auto& [one, other] : {std::pair{step.a, step.b}, {step.b, step.a}}) {
      if (one < 0) continue;
      here |= columns[static_cast<size_t>(one)];
      if (!carries[static_cast<size_t>(one)]) continue;
      const uint64_t met = other >= 0 ? columns[static_cast<size_t>(other)] : 0;
      out |= met;
      carried |= met == 0;
    }
    columns.push_back(here);
    carries.push_back(carried);
  }
  return out;
}

Quantity quantity_met(uint64_t columns) {
  switch (columns) {
    case 1 << kLogN:
      return Quantity::kSizes;
    case 1 << kLogD:
      return Quantity::kTokens;
    case 1 << kWeights:
      return Quantity::kWeightBits;
    case 1 << kActivations:
      return Quantity::kActivationBits;
    case 1 << kKv:
      return Quantity::kKvBits;
    case 1 << kPost:
      return Quantity::kPostBits;
    case 1 << kLogGroup:
      return Quantity::kGroups;
    default:
      return Quantity::kNothing;
  }
}

bool tells(uint64_t met, Quantity of) {
  if (of == Quantity::kNothing) return false;
  constexpr uint64_t kN = 1 << kLogN, kD = 1 << kLogD;
  if (of == Quantity::kSizes) return (met & kN) != 0 && (met & kD) == 0;
  if (of == Quantity::kTokens) return (met & kD) != 0 && (met & kN) == 0;
  return quantity_met(met) == of;
}

uint64_t columns_in(const Tape& tape) {
  uint64_t out = 0;
  for (const TapeStep& step : tape.steps()) {
    if (step.op == TapeOp::kColumn) out |= uint64_t{1} << step.at;
  }
  return out;
}

}  // namespace bitlaw
