// Exponential, reciprocal and sigmoid of sixteen floats, over the simd_*.h that was included
// before. The same bits on every instruction set.
#pragma once

namespace bitlaw::cpu {
namespace {

// e^x for x <= 88; everything below the logarithm of the smallest normal float counts as that.
// e^x = 2^n e^r with r = x - n ln 2, ln 2 in two pieces so that n times the first is exact, |r| <=
// 0.35; e^r = 1 + r + r^2 q(r), q the polynomial of degree 4 with the least largest error (0.06
// units of 2^-24; 3 would give 1.8). Adding 1.5 * 2^23 rounds to an integer n, which is then in
// the lowest bits.
inline V exponential(V x) {
  const V magic = splat(12582912.0f);
  const V y = max(splat(-87.3f), x);
  const V shifted = fma(y, splat(1.44269504f), magic);
  const V n = shifted - magic;
  const V r = minus_fma(n, splat(-2.12194440e-4f), minus_fma(n, splat(0.693359375f), y));
  V q = splat(1.3814540579915047e-3f);
  q = fma(q, r, splat(8.36874544620514e-3f));
  q = fma(q, r, splat(4.166838899254799e-2f));
  q = fma(q, r, splat(0.1666652113199234f));
  q = fma(q, r, splat(0.4999999403953552f));
  const V p = fma(q, r * r, r) + splat(1.0f);
  return add_to_exponent(p, shifted);
}

// 1 / a for normal a in 2^-125 .. 2^125: a guess good to 12 % and three Newton steps (errors 12 %,
// 1.5 %, 2e-4, 5e-8). A division of sixteen floats takes 16 cycles, this takes 4.
inline V reciprocal(V a) {
  V y = rough_reciprocal(a);
  for (int step = 0; step < 3; ++step) y = fma(y, minus_fma(a, y, splat(1.0f)), y);
  return y;
}

// 1 / (1 + e^-z), and 0 below -86, before e^-z is too large for reciprocal().
inline V sigmoid(V z) {
  const V lowest = splat(-86.0f);
  const V s = reciprocal(splat(1.0f) + exponential(splat(0.0f) - max(lowest, z)));
  return select_less(z, lowest, splat(0.0f), s);
}

}  // namespace
}  // namespace bitlaw::cpu
