// The squared error of a block of weights at one grid, which the clip search asks for many times:
//
//   sum_i (w_i - value_i)^2,   value as in formats/weight_scheme.h
//
// Each difference is a float; squares and sums are in double, entry i in lane i mod 16, ascending,
// and the lanes are added in pairs. So the result has the same bits on every instruction set.
#pragma once

#include <cstdint>

#include "base/isa.h"

namespace bitlaw {

// Rounding to the nearest code, less the zero point, in the terms of the kernels.
struct BlockRounding {
  float scale, inverse;
  float lowest, highest;  // code - zero saturates to these
  bool integer;
  // Of eXmY only:
  int dropped_bits;       // 23 - Y, that normal codes leave of a float's mantissa
  float smallest_normal;  // below it codes are multiples of the smallest positive one:
  float magic;            // adding 1.5 * 2^23 of these, and taking it away, rounds to one
};

// w [count], finite. The machine's best instruction set, or a given one that it has.
double squared_error(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error(Isa isa, const BlockRounding& rounding, const float* w, int64_t count);

double squared_error_plain(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error_avx2(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error_avx512(const BlockRounding& rounding, const float* w, int64_t count);

}  // namespace bitlaw
