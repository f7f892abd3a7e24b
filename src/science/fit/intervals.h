// The intervals of a fit's constants: those of its bootstrap draws, and where these describe only a
// part of what the rows allow, all of that.
#pragma once

#include <string>
#include <vector>

#include "fit/bootstrap.h"
#include "fit/derived.h"

namespace bitlaw {

// An interval that holds both, if what the rows allow is much longer than the draws' interval; else
// the draws'. `logarithmic`: lengths are compared of logarithms.
Interval widened(const Interval& of_draws, const Interval& allowed, bool logarithmic);

// Fills fit.parameters, and adds a note on those that the rows do not identify.
void add_parameters(const FittedStages& stages, const std::vector<double>& values,
                    const FitOptions& options, Fit& fit);

}  // namespace bitlaw
