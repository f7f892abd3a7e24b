// E8M0, the shared scale of the OCP Microscaling formats (MX specification 1.0, section 5.4.1):
// code c is 2^(c - 127) for c = 0 .. 254, and 255 is NaN. It has no sign, no zero and no infinity.
//
// The scale of a block (section 6.3): the largest power of two that is at most the block's absmax,
// divided by the largest power of two among the element's codes,
//
//   X = floor(log2 absmax) - emax,    kept within -127 .. 127.
//
// An element beyond the largest code (up to 2^(emax+1) at this scale) saturates.
#pragma once

#include <cstdint>

#include "formats/format.h"

namespace bitlaw {

inline constexpr int kE8M0Bias = 127;

// The value of code 0 .. 254 (code 0 is a subnormal float); NaN for 255.
float e8m0_value(uint8_t code);

// emax = floor(log2 max_code): 2 for e2m1 and e2m3, 4 for e3m2, 8 for e4m3, 15 for e5m2. For an
// integer, in units of its codes: 6 for int8. (The specification counts MXINT8 in units of 64
// codes, where emax is 0; see shared_exponent.)
int largest_exponent(const Format& element);

// X above, for absmax >= 0; -127 for a block of zeros, 127 for infinity and NaN. For integers of B
// bits it is the exponent of 2^(B-2) codes, as in the specification, so that one code is worth
// 2^(X - (B-2)).
int shared_exponent(const Format& element, float absmax);

// code * scale as products see it, a BF16 number: zero with the code's sign if its magnitude is
// below 2^-126, because matrix units read subnormal BF16 numbers as zeros.
float folded_number(float code, float scale);

}  // namespace bitlaw
