// How runs scatter around a fitted law, for the interval of a run that has not been made.
//
// Within the fitted range: the residuals of the fit, made larger by what the fit absorbed. Rows of
// one cluster c have leverage H_c = J_c (J' J)^-1 J_c', and (I - H_c)^(-1/2) r_c has the variance of
// the runs (the correction CR2 of Bell and McCaffrey 2002).
//
// Beyond it: the rows are cut at the half and at two thirds of their sizes, token counts and budgets
// (and above their lowest bits), the law is fitted to the rows on the inner side, and predicts the
// others. growth^2 is the weighted regression of
//
//   error^2 - variance of runs    on    distance^2      (predict/reach.h)
//
// The error includes that of constants which the inner rows alone tell less well than all rows do: it
// is an upper guess, on purpose.
#pragma once

#include "fit/stage.h"
#include "predict/scatter.h"

namespace bitlaw {

// values: the minimum of the stage. Unknown where there are no more rows than constants.
Scatter run_scatter(const StageSetup& setup, const std::vector<Observation>& rows,
                    const std::vector<double>& values, const ParallelFor& parallel_for = {});

}  // namespace bitlaw
