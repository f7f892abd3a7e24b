// Which rows to hold out of a fit and predict.
//
//   kfold          every cluster once, dealt into random folds
//   largest-N      the rows of the largest size; largest-D: of the longest training. Where sizes are
//                  continuous (more than a quarter of the rows has one of its own, and fewer than a
//                  twentieth have the largest), the largest tenth of the rows
//   bits, class    every precision in turn: lowest bits of the row, or its class
//   N>3e8, bits=3  rows for which a condition holds (base/condition.h), also P_w=3,4, N=1e6..3e8,
//                  class=W4A4, D/N>200; its columns are those of table/observation_columns.h
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// One mask per fit, true for held-out rows. Empty if nothing would be left to fit or to predict.
// Error if `split` is invalid.
std::vector<std::vector<bool>> hold_out_masks(const std::vector<Observation>& rows,
                                              const std::string& split, int folds, uint64_t seed);

// Throws that Error without needing rows.
void check_split(const std::string& split);

// Why there are no masks, in a sentence.
std::string why_no_masks(const std::vector<Observation>& rows, const std::string& split);

}  // namespace bitlaw
