// Dual numbers: x + sum_i d[i] e_i with e_i e_j = 0. A function written for any scalar type and
// evaluated on them returns its value and its exact gradient (forward-mode differentiation).
//
//   f(x + d e) = f(x) + f'(x) d e
#pragma once

#include <cmath>

namespace bitlaw {

template <int K>
struct Dual {
  double value = 0;
  double d[K] = {};  // d value / d parameter i

  Dual() = default;
  Dual(double constant) : value(constant) {}  // a constant: all derivatives zero
  // The i-th independent variable.
  static Dual variable(double value, int i) {
    Dual out(value);
    out.d[i] = 1;
    return out;
  }

  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  Dual& operator/=(const Dual& b) { return *this = *this / b; }

  // The chain rule: a function with value `value` and slope `slope` at x.
  friend Dual chain(const Dual& x, double value, double slope) {
    Dual out(value);
    for (int i = 0; i < K; ++i) out.d[i] = slope * x.d[i];
    return out;
  }

  friend Dual operator-(const Dual& a) { return chain(a, -a.value, -1); }
  friend Dual operator+(const Dual& a, const Dual& b) {
    Dual out(a.value + b.value);
    for (int i = 0; i < K; ++i) out.d[i] = a.d[i] + b.d[i];
    return out;
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    Dual out(a.value - b.value);
    for (int i = 0; i < K; ++i) out.d[i] = a.d[i] - b.d[i];
    return out;
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    Dual out(a.value * b.value);
    for (int i = 0; i < K; ++i) out.d[i] = a.d[i] * b.value + a.value * b.d[i];
    return out;
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const double inverse = 1 / b.value, quotient = a.value * inverse;
    Dual out(quotient);
    for (int i = 0; i < K; ++i) out.d[i] = (a.d[i] - quotient * b.d[i]) * inverse;
    return out;
  }

  // Mixed with a plain number: half the work.
  friend Dual operator+(const Dual& a, double b) { return chain(a, a.value + b, 1); }
  friend Dual operator+(double a, const Dual& b) { return chain(b, a + b.value, 1); }
  friend Dual operator-(const Dual& a, double b) { return chain(a, a.value - b, 1); }
  friend Dual operator-(double a, const Dual& b) { return chain(b, a - b.value, -1); }
  friend Dual operator*(const Dual& a, double b) { return chain(a, a.value * b, b); }
  friend Dual operator*(double a, const Dual& b) { return chain(b, a * b.value, a); }
  friend Dual operator/(const Dual& a, double b) { return chain(a, a.value / b, 1 / b); }
  friend Dual operator/(double a, const Dual& b) {
    const double quotient = a / b.value;
    return chain(b, quotient, -quotient / b.value);
  }

  friend Dual exp(const Dual& x) {
    const double e = std::exp(x.value);
    return chain(x, e, e);
  }
  friend Dual expm1(const Dual& x) { return chain(x, std::expm1(x.value), std::exp(x.value)); }
  friend Dual log(const Dual& x) { return chain(x, std::log(x.value), 1 / x.value); }
  friend Dual sqrt(const Dual& x) {
    const double root = std::sqrt(x.value);
    return chain(x, root, 0.5 / root);
  }
  friend Dual tanh(const Dual& x) {
    const double t = std::tanh(x.value);
    return chain(x, t, 1 - t * t);
  }
  friend Dual pow(const Dual& x, double power) {
    const double y = std::pow(x.value, power);
    return chain(x, y, power * std::pow(x.value, power - 1));
  }
};

// The value alone, for branches.
inline double value_of(double x) {
  return x;
}
template <int K>
double value_of(const Dual<K>& x) {
  return x.value;
}

}  // namespace bitlaw
