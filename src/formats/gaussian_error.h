// How well a number format represents a standard normal variable x, with one scale for all draws:
//
//   error(s) = E[(x - s round(x / s))^2],     least error = min over s > 0
//
// This is the "GMSE" of laws that rate a format by it (Panferov et al. 2025, arXiv 2506.01863). The
// density is integrated over the cell of each code; nothing is sampled.
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

// The mean squared error at a given scale > 0 (bf16 and fp32 have only scale 1; fp32 rounds
// nothing, so its error is 0). Relative precision about 1e-12.
double gaussian_error(const Format& format, double scale);

// The scale of least error, to about eight digits, and the error there. Floating-point codes look
// almost the same at twice the scale; of these local minima the least is returned.
GaussianError least_gaussian_error(const Format& format);

// The same for the uniform grid of 2^bits levels without a zero, 1 <= bits <= 16: at a given step >
// 0, and at the best step.
double uniform_grid_error(int bits, double step);
GaussianError least_uniform_grid_error(int bits);

// Integral of (x - center)^2 over the density from a to b > a, either end infinite or not.
double gaussian_cell(double a, double b, double center);

// log of the least error of a uniform grid, continued to fractional bits so that a plan can vary
// them: exact at whole bits from 0 (no information: error 1) to 16, the cubic spline with
// continuous second derivative between them, and straight beyond; -infinity at unlimited bits.
double log_uniform_grid_error(double bits);

}  // namespace bitlaw
