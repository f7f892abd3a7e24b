// The error of a law on rows that its fit has not seen: the largest size, the longest training, or
// each fold of clusters in turn.
#pragma once

#include <string>
#include <vector>

#include "fit/fit.h"
#include "fit/stage.h"

namespace bitlaw {

// Rows to leave out, one mask per fit: "largest-N", "largest-D" (the rows with the greatest value)
// or "kfold". Empty where nothing would be left to fit or to predict.
std::vector<std::vector<bool>> hold_out_masks(const std::vector<Observation>& rows,
                                              const std::string& split, int folds, uint64_t seed);

// The squared log residual of every row that some mask leaves out, from a fit without it; NaN
// elsewhere, and where the rest has no more rows than constants. Constants that the rest cannot
// tell keep base values.
std::vector<double> held_out_squares(const StageSetup& setup, const std::vector<Observation>& rows,
                                     const std::vector<std::vector<bool>>& masks,
                                     const ParallelFor& parallel_for = {});

// Their root mean, with its standard error over clusters.
HeldOut summarise(const std::string& split, const std::vector<Observation>& rows,
                  const std::vector<double>& squares);

}  // namespace bitlaw
