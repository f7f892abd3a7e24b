// The squared error of a block of numbers at one scale, the inner loop of the clip search, and
// their own squares:
//
//   sum_i (w_i - value_i)^2,   value as in formats/weight_scheme.h        sum_i w_i^2
//
// Each difference is a float; squares and sums are in double, entry i in lane i mod 16, ascending,
// and the lanes are added in pairs. So the result has the same bits on every instruction set.
#pragma once

#include <cstdint>

#include "base/isa.h"

namespace bitlaw {

// Rounding to the nearest code minus the zero point, prepared for the kernels.
struct BlockRounding {
  float scale, inverse;
  float lowest, highest;  // code - zero saturates to these
  bool integer;
  // For eXmY only:
  int dropped_bits;       // 23 - Y, the mantissa bits of a float that normal codes do not have
  float smallest_normal;  // below it codes are multiples of the smallest positive code
  float magic;            // 1.5 * 2^23 such multiples: adding and subtracting it rounds to one
};

// sum over w [count], all finite, with the machine's best instruction set or a given one that it
// has.
double squared_error(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error(Isa isa, const BlockRounding& rounding, const float* w, int64_t count);

double squared_error_plain(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error_avx2(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error_avx512(const BlockRounding& rounding, const float* w, int64_t count);

double sum_of_squares(const float* w, int64_t count);
double sum_of_squares(Isa isa, const float* w, int64_t count);

double sum_of_squares_plain(const float* w, int64_t count);
double sum_of_squares_avx2(const float* w, int64_t count);
double sum_of_squares_avx512(const float* w, int64_t count);

}  // namespace bitlaw
