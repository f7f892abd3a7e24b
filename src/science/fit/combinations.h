// What the rows identify of constants that they cannot tell apart: sums, and constants tied to each
// other.
#pragma once

#include "fit/derived.h"

namespace bitlaw {

// Adds to fit.derived, if some constant is not identified:
//
//   E + B/D^beta      if all rows have one D; E + A/N^alpha if they have one N
//   gamma_w = gamma_a and n_w = n_a, tied, if two parts always have the same bits; alpha = beta, tied,
//                     if neither is identified
//   loss in the middle of the rows, not quantized or at their only precision
//
// unbound: the law as fit_law was given it. runs, options: of the fit. Tied constants are those of another fit with these ties.
void add_combinations(const Law& unbound, const FittedStages& stages,
                      const std::vector<Observation>& runs, const std::vector<double>& values,
                      const FitOptions& options, const ParallelFor& parallel_for, Fit& fit);

}  // namespace bitlaw
