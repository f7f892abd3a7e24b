// The steps of a formula as plain data, and the functions over rows that are compiled once per
// instruction set. No inline function here may be shared between those files.
#pragma once

#include <cstddef>

namespace bitlaw {

enum class TapeOp : unsigned char {
  kNumber,
  kConstant,  // `at`: its position among the law's parameters
  kColumn,    // `at`: of Rows
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kPower,
  kNegate,
  kLog,
  kExp,
  kSqrt,
  kAbs,
  kMin,
  kMax
};

struct TapeStep {
  TapeOp op = TapeOp::kNumber;
  int a = -1, b = -1;         // earlier steps
  int at = -1;                // of a constant or column
  double number = 0;          // of kNumber
  bool of_rows = false;       // differs from row to row
  bool of_constants = false;  // has derivatives
};

struct TapeView {
  const TapeStep* steps;
  int count;
  int width;  // columns of a Jacobian
};

inline constexpr size_t kTapeBlock = 32;  // rows of a step at a time
inline constexpr int kTapeScratch = 3;    // numbers for each step and row of a block

// columns: `stride` apart, a multiple of eight. values: stride results. jacobian: null, or `width`
// columns stride apart. scratch: kTapeScratch kTapeBlock count numbers. The same bits for every
// instruction set.
using EvaluateTape = void (*)(const TapeView& tape, const double* p, const double* columns,
                              size_t stride, double* values, double* jacobian, double* scratch);
extern const EvaluateTape kEvaluateTapePlain, kEvaluateTapeAvx2, kEvaluateTapeAvx512;

}  // namespace bitlaw
