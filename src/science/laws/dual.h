// Dual numbers: x + sum_i d[i] e_i with e_i e_j = 0. A function written for any scalar type and
// evaluated on them returns its value and its exact gradient (forward-mode differentiation).
//
//   f(x + d e) = f(x) + f'(x) d e
//
// Number is double, or a batch of them (laws/batch.h).
#pragma once

#include <cmath>

#include "laws/batch.h"

namespace bitlaw {

template <int K, class Number = double>
struct Dual {
  Number value = 0.0;
  Number d[K];  // d value / d parameter i

  BITLAW_INLINE Dual() : Dual(Number(0.0)) {}
  BITLAW_INLINE Dual(const Number& constant) : value(constant) {  // all derivatives zero
    for (int i = 0; i < K; ++i) d[i] = Number(0.0);
  }
  // The i-th independent variable.
  static BITLAW_INLINE Dual variable(const Number& value, int i) {
    Dual out(value);
    out.d[i] = Number(1.0);
    return out;
  }

  BITLAW_INLINE Dual& operator+=(const Dual& b) { return *this = *this + b; }
  BITLAW_INLINE Dual& operator-=(const Dual& b) { return *this = *this - b; }
  BITLAW_INLINE Dual& operator*=(const Dual& b) { return *this = *this * b; }
  BITLAW_INLINE Dual& operator/=(const Dual& b) { return *this = *this / b; }

  // The chain rule: a function with value `value` and slope `slope` at x.
  friend BITLAW_INLINE Dual chain(const Dual& x, const Number& value, const Number& slope) {
    Dual out;
    out.value = value;
    for (int i = 0; i < K; ++i) out.d[i] = slope * x.d[i];
    return out;
  }

  friend BITLAW_INLINE Dual operator-(const Dual& a) { return chain(a, -a.value, -1.0); }
  friend BITLAW_INLINE Dual operator+(const Dual& a, const Dual& b) {
    Dual out;
    out.value = a.value + b.value;
    for (int i = 0; i < K; ++i) out.d[i] = a.d[i] + b.d[i];
    return out;
  }
  friend BITLAW_INLINE Dual operator-(const Dual& a, const Dual& b) {
    Dual out;
    out.value = a.value - b.value;
    for (int i = 0; i < K; ++i) out.d[i] = a.d[i] - b.d[i];
    return out;
  }
  friend BITLAW_INLINE Dual operator*(const Dual& a, const Dual& b) {
    Dual out;
    out.value = a.value * b.value;
    for (int i = 0; i < K; ++i) out.d[i] = a.d[i] * b.value + a.value * b.d[i];
    return out;
  }
  friend BITLAW_INLINE Dual operator/(const Dual& a, const Dual& b) {
    const Number inverse = 1.0 / b.value;
    Dual out;
    out.value = a.value / b.value;
    for (int i = 0; i < K; ++i) out.d[i] = (a.d[i] - out.value * b.d[i]) * inverse;
    return out;
  }

  // Mixed with a plain number: half the work.
  friend BITLAW_INLINE Dual operator+(const Dual& a, const Number& b) {
    Dual out = a;
    out.value = a.value + b;
    return out;
  }
  friend BITLAW_INLINE Dual operator+(const Number& a, const Dual& b) { return b + a; }
  friend BITLAW_INLINE Dual operator-(const Dual& a, const Number& b) {
    Dual out = a;
    out.value = a.value - b;
    return out;
  }
  friend BITLAW_INLINE Dual operator-(const Number& a, const Dual& b) {
    return chain(b, a - b.value, -1.0);
  }
  friend BITLAW_INLINE Dual operator*(const Dual& a, const Number& b) {
    return chain(a, a.value * b, b);
  }
  friend BITLAW_INLINE Dual operator*(const Number& a, const Dual& b) {
    return chain(b, a * b.value, a);
  }
  friend BITLAW_INLINE Dual operator/(const Dual& a, const Number& b) {
    return chain(a, a.value / b, 1.0 / b);
  }
  friend BITLAW_INLINE Dual operator/(const Number& a, const Dual& b) {
    const Number inverse = 1.0 / b.value, quotient = a * inverse;
    return chain(b, quotient, -quotient * inverse);
  }

  friend BITLAW_INLINE Dual exp(const Dual& x) {
    using std::exp;
    const Number e = exp(x.value);
    return chain(x, e, e);
  }
  friend BITLAW_INLINE Dual expm1(const Dual& x) {
    using std::expm1;
    const Number e = expm1(x.value);
    return chain(x, e, e + 1.0);
  }
  friend BITLAW_INLINE Dual log(const Dual& x) {
    using std::log;
    return chain(x, log(x.value), 1.0 / x.value);
  }
  friend BITLAW_INLINE Dual log1p(const Dual& x) {
    using std::log1p;
    return chain(x, log1p(x.value), 1.0 / (1.0 + x.value));
  }
  friend BITLAW_INLINE Dual sqrt(const Dual& x) {
    using std::sqrt;
    const Number root = sqrt(x.value);
    return chain(x, root, 0.5 / root);
  }
  friend BITLAW_INLINE Dual tanh(const Dual& x) {
    using std::tanh;
    const Number t = tanh(x.value);
    return chain(x, t, 1.0 - t * t);
  }
  friend BITLAW_INLINE Dual pow(const Dual& x, const Number& power) {
    using std::pow;
    return chain(x, pow(x.value, power), power * pow(x.value, power - 1.0));
  }

  friend BITLAW_INLINE Dual pow(const Dual& x, const Dual& power) { return exp(power * log(x)); }

  template <class Condition>
  friend BITLAW_INLINE Dual select(const Condition& condition, const Dual& yes, const Dual& no) {
    Dual out;
    out.value = select(condition, yes.value, no.value);
    for (int i = 0; i < K; ++i) out.d[i] = select(condition, yes.d[i], no.d[i]);
    return out;
  }
  friend BITLAW_INLINE Number value_of(const Dual& x) { return x.value; }
};

}  // namespace bitlaw
