// How well a number format can hold a standard normal variable x, with one scale for all draws:
//
//   error(s) = E[(x - s round(x / s))^2],     least error = min over s > 0
//
// "GMSE" of the laws that rate a format by it (Panferov et al. 2025, arXiv 2506.01863). The density
// is integrated over the cell of each code; nothing is sampled.
//
//                                            bits  least error of a uniform grid of 2^bits levels
//   a grid (i + 1/2) s, i = -n .. n - 1         1  0.3634 = 1 - 2 / pi       4  0.01154
//   with 2 n = 2^bits levels has no zero;       2  0.1188                    5  0.003495
//   the codes of intB have, and one more        3  0.03744                   8  8.769e-5
//   level below it than above                      (Max 1960, table II, to 36 levels)
#pragma once

#include "formats/format.h"

namespace bitlaw {

struct GaussianError {
  double scale = 1;  // number per code
  double error = 0;  // mean squared, of a variable with variance 1
};

// The mean squared error at a given scale above 0 (bf16 and fp32 know only 1; fp32 rounds nothing
// here, so its error is 0). Relative precision about 1e-12.
double gaussian_error(const Format& format, double scale);

// The scale of least error, to about eight digits, and the error there. A floating-point grid looks
// almost the same at twice the scale: of such minima the least is found.
GaussianError least_gaussian_error(const Format& format);

// The uniform grid of 2^bits levels without a zero, 1 <= bits <= 16. At a given step above 0, and
// at the best one.
double uniform_grid_error(int bits, double step);
GaussianError least_uniform_grid_error(int bits);

// log of the least error of a uniform grid, continued to any number of bits so that a plan can move
// along it: exact at whole bits from 0 (where nothing is known: error 1) to 16, between them the
// cubic spline through these with its second derivative continuous, and straight beyond; -infinity
// at unlimited bits.
double log_uniform_grid_error(double bits);

}  // namespace bitlaw
