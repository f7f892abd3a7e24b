// Which rows to hold out of a fit, to be predicted by it.
//
//   kfold          every cluster once, dealt into folds at random
//   largest-N      the rows of the largest size; largest-D: of the longest training
//   bits, class    every precision in turn: least bits of the row, or its class
//   bits=3         rows whose condition holds, also bits<=3, P_w=3,4, class=W4A4, D/N>200;
//   N=3e8, D=1e10  rows above that size or that many tokens (as N>3e8)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// One mask for each fit, true where the row is held out. Empty where nothing would be left to fit
// or to predict. An Error says what is wrong with `split`.
std::vector<std::vector<bool>> hold_out_masks(const std::vector<Observation>& rows,
                                              const std::string& split, int folds, uint64_t seed);

// Throws the same Error without any rows.
void check_split(const std::string& split);

// Why there are no masks, in a sentence.
std::string why_no_masks(const std::vector<Observation>& rows, const std::string& split);

}  // namespace bitlaw
