// What a search for the scale of a block computes: the squared error of its numbers at one scale,
// their own squares and the largest magnitude.
//
//   sum_i (w_i - value_i)^2,   value as in formats/weight_scheme.h        sum_i w_i^2
//
// Each difference is a float; squares and sums are in double, entry i in lane i mod 16, ascending,
// and the lanes are added in pairs. So the result has the same bits on every instruction set.
#pragma once

#include <cstdint>

#include "base/isa.h"
#include "formats/format.h"

namespace bitlaw {

// Rounding to the nearest code minus the zero point, prepared for the kernels.
struct BlockRounding {
  float scale = 0, inverse = 0;
  float lowest = 0, highest = 0;  // code - zero saturates to these
  bool integer = false;
  // For eXmY only:
  int dropped_bits = 0;       // 23 - Y, the mantissa bits of a float that normal codes do not have
  float smallest_normal = 0;  // below it codes are multiples of the smallest positive code
  float magic = 0;            // 1.5 * 2^23 such multiples: adding and subtracting it rounds to one
};

// With the format's codes and a zero point of 0, but no scale yet.
const BlockRounding& unscaled_rounding(const Format& format);

// sum over w [count], all finite, with the machine's best instruction set or a given one that it
// has.
double squared_error(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error(Isa isa, const BlockRounding& rounding, const float* w, int64_t count);

double squared_error_plain(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error_avx2(const BlockRounding& rounding, const float* w, int64_t count);
double squared_error_avx512(const BlockRounding& rounding, const float* w, int64_t count);

// squared_error at several scales, whatever the scale of `rounding` is, with the same bits.
struct Scales {
  static constexpr int kCount = 8;
  float scale[kCount] = {}, inverse[kCount] = {};
};
void squared_errors(const BlockRounding& rounding, const Scales& scales, const float* w,
                    int64_t count, double* errors);
void squared_errors(Isa isa, const BlockRounding& rounding, const Scales& scales, const float* w,
                    int64_t count, double* errors);

void squared_errors_plain(const BlockRounding& rounding, const Scales& scales, const float* w,
                          int64_t count, double* errors);
void squared_errors_avx2(const BlockRounding& rounding, const Scales& scales, const float* w,
                         int64_t count, double* errors);
void squared_errors_avx512(const BlockRounding& rounding, const Scales& scales, const float* w,
                           int64_t count, double* errors);

// sum of max(0, |x| - range)^2: where range >= 0 is beyond every code, the error is not less, but
// for roundings.
double squares_beyond(float range, const float* w, int64_t count);
double squares_beyond(Isa isa, float range, const float* w, int64_t count);

double squares_beyond_plain(float range, const float* w, int64_t count);
double squares_beyond_avx2(float range, const float* w, int64_t count);
double squares_beyond_avx512(float range, const float* w, int64_t count);

double sum_of_squares(const float* w, int64_t count);
double sum_of_squares(Isa isa, const float* w, int64_t count);

double sum_of_squares_plain(const float* w, int64_t count);
double sum_of_squares_avx2(const float* w, int64_t count);
double sum_of_squares_avx512(const float* w, int64_t count);

// Largest |w| of w [count], by its bits: NaN is larger than infinity. 0 if count is 0.
float largest_magnitude(const float* w, int64_t count);
float largest_magnitude(Isa isa, const float* w, int64_t count);

float largest_magnitude_plain(const float* w, int64_t count);
float largest_magnitude_avx2(const float* w, int64_t count);
float largest_magnitude_avx512(const float* w, int64_t count);

}  // namespace bitlaw
