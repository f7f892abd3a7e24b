// Pieces that formulas share.
#pragma once

#include <cmath>

#include "laws/batch.h"

namespace bitlaw {

// x^-exponent, from log x.
template <class Real, class Log>
BITLAW_INLINE Real falling(const Real& exponent, const Log& log_x) {
  using std::exp;
  return exp(-(exponent * log_x));
}

// x, or `otherwise` where it is unknown (NaN).
template <class Number>
BITLAW_INLINE Number or_else(const Number& x, const Number& otherwise) {
  return select(x <= 1e300, x, otherwise);
}

inline constexpr double kLog2 = 0.693147180559945309417;

}  // namespace bitlaw
