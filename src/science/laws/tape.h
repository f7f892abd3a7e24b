// A formula as a list of steps, for many rows at once and for any number of constants: forward for the
// values, then back for the derivatives by every constant (reverse mode), which costs about as much as
// three values however many constants there are. Both are exact up to rounding.
//
//   forward    v_i = f_i(v_a, v_b)
//   back       s_a += s_i df_i/dv_a,   s_b += s_i df_i/dv_b,   from s_result = 1
//
// Equal steps are one; steps of numbers alone are done when the tape is made; N^alpha is
// exp(alpha log N), with the logarithm that the rows have.
#pragma once

#include <span>
#include <vector>

#include "base/expression.h"
#include "laws/tape_steps.h"

namespace bitlaw {

class Tape {
 public:
  // What a name of the formula stands for.
  struct Meaning {
    TapeOp op;               // kNumber, kConstant or kColumn
    int at = -1;             // of kConstant and kColumn
    double number = 0;       // of kNumber
    bool logarithm = false;  // the column has the logarithm of the quantity
    int times = -1;          // another such column that it is multiplied by
    double factor = 1;       // and a number
  };

  Tape() = default;
  // `names`: of the names of the formula, in its order. width: columns of a Jacobian.
  Tape(const Expression& formula, std::span<const Meaning> names, int width);

  std::span<const TapeStep> steps() const { return steps_; }
  // Of rows as EvaluateTape; with the best instruction set of this machine.
  void evaluate(const double* p, const double* columns, size_t stride, double* values,
                double* jacobian) const;
  // Of one row, its columns side by side.
  double value(const double* p, const double* row) const;

 private:
  std::vector<TapeStep> steps_;  // the last is the result
  int width_ = 0;
};

}  // namespace bitlaw
