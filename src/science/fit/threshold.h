// Huber's threshold from the residuals: 1.345 of their standard deviations s, as their median has it,
//
//   s = median |r| / 0.6745 * sqrt(n / (n - k))
//
// for n rows and k fitted constants. With normal residuals the estimate then has 95 % of the precision
// of least squares (Huber 1981, Robust Statistics, section 4.5). A threshold far below the residuals
// makes the fit one of least absolute deviations; far above, one of least squares.
#pragma once

#include <string>
#include <vector>

#include "fit/stage.h"

namespace bitlaw {

// 1.345 deviations of these residuals; NaN if there are fewer than three more than constants.
double huber_threshold(std::vector<double> residuals, size_t constants);

// The threshold at which residuals of the fit that it leads to have it, to three digits, so that it
// can be asked for by the same number. At most some thousand rows are fitted, a sketch of the table.
// 1e-3 if there are too few rows to tell.
double settled_threshold(const StageSetup& setup, const std::vector<Observation>& rows,
                         const ParallelFor& parallel_for = {});

// settled_threshold where the options leave it to the residuals; nothing changes otherwise, nor for
// differences, which are compared in standard errors.
void settle_threshold(const FitOptions& options, const std::vector<Observation>& rows,
                      const ParallelFor& parallel_for, StageSetup& setup);

// "huber(0.0107, sum) of log residuals".
std::string objective_name(const FitOptions& options, const StageSetup& setup);

}  // namespace bitlaw
