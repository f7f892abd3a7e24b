// Terms that formulas share.
#pragma once

#include <cmath>

#include "laws/dual.h"
#include "laws/inputs.h"

namespace bitlaw {

// x^-exponent, from log x.
template <class Real, class Log>
BITLAW_INLINE Real falling(const Real& exponent, const Log& log_x) {
  using std::exp;
  return exp(-(exponent * log_x));
}

// x, or `otherwise` if x is unknown (NaN).
template <class Number>
BITLAW_INLINE Number or_else(const Number& x, const Number& otherwise) {
  return select(x <= 1e300, x, otherwise);
}

// f(P) = 1 - exp(-P / gamma + n), the effective share of the parameters at P bits.
template <class Real, class Number>
BITLAW_INLINE Real capacity(const Number& bits, const Real& gamma, const Real& n) {
  using std::expm1;
  return -expm1(n - bits * (1.0 / gamma));  // the inverse once for all rows
}

// log f; 0 at unlimited bits. f at or below zero means that training diverges. So that a fit can
// pass through such values, log f is continued by its tangent below f = 1/1000; the loss there is
// finite but huge, as it should be.
template <class Real, class Number>
BITLAW_INLINE Real log_capacity(const Number& bits, const Real& gamma, const Real& n) {
  using std::log;
  constexpr double kSmallest = 1e-3;
  const Real f = capacity(bits, gamma, n);
  const auto regular = value_of(f) >= kSmallest;
  return select(regular, log(select(regular, f, Real(kSmallest))),
                std::log(kSmallest) + (f - kSmallest) * (1 / kSmallest));
}

// log(N_eff / N) where a precision leaves the share f of the parameters that it shrinks, from log f:
//
//   N_eff = N_fixed + (N - N_fixed) f
//
// f itself, to the bit, in tables without fixed parameters: has_fixed is one for all rows, and a
// branch on it no branch on values.
template <class Real, class Number>
BITLAW_INLINE Real with_fixed(const Real& log_share, const Inputs<Number>& run) {
  using std::exp;
  using std::log;
  if (!run.has_fixed) return log_share;
  return log(exp(log_share) * (Number(1.0) - run.fixed_share) + run.fixed_share);
}

// log N_eff.
template <class Real, class Number>
BITLAW_INLINE Real log_effective_params(const Real& log_share, const Inputs<Number>& run) {
  return with_fixed(log_share, run) + run.log_params;
}

inline constexpr double kLog2 = 0.693147180559945309417;

}  // namespace bitlaw
