// The scale of least squared error for normal numbers, from their size alone:
//
//   scale = c(format) sqrt(sum_i x_i^2 / n)
//
// c is the best scale for a standard normal variable (formats/gaussian_error.h), rounded to sixteen
// significant bits, so that no machine's mathematical library decides a bit of it:
//
//        int2    int3    int4    int5    int6    int8     e2m1    e2m3    e3m2    e4m3
//   c    1.0484  0.6018  0.3386  0.1888  0.1042  0.03077  0.4871  0.4997  0.1622  0.02038
//
// QuEST (Panferov et al., 2025, arXiv 2502.05003) has the same rule for uniform grids without a
// zero, after a rotation has made the numbers nearly normal. Larger entries than the codes hold are
// cut off.
#pragma once

#include <cstdint>

#include "formats/format.h"

namespace bitlaw {

// c of a scaled format.
float gaussian_scale(const Format& format);

// The scale above of `count` numbers, as a float: the square root and one product in double, then
// rounded. Not the smallest that a scale may be, and not one that its own format has.
float gaussian_scale(const Format& format, double sum_of_squares, int64_t count);

// Which numbers in units of the scale are held: not further than half of the last step beyond the
// largest and smallest code. For integers that is where the error of rounding is at most half a
// step. QuEST trusts the gradients of these alone.
struct TrustedRange {
  float low, high;
  bool holds(float y) const { return low <= y && y <= high; }
};
TrustedRange trusted_range(const Format& format);

}  // namespace bitlaw
