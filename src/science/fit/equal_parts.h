// Parts that have the same bits in every row. The rows cannot tell which of the two a constant
// belongs to: exchanging gamma_w and gamma_a, n_w and n_a changes no prediction.
#pragma once

#include <utility>
#include <vector>

#include "fit/stage.h"

namespace bitlaw {

// Positions of constants of two such parts, called alike but for the part ("gamma_w", "gamma_a"). One
// group of pairs for every two parts; only constants that are free in the stage.
using Exchange = std::vector<std::pair<int, int>>;
std::vector<Exchange> exchanges_of(const StageSetup& setup, const std::vector<Observation>& rows);

// Adds the minima that such an exchange makes of the best one to its others.
void add_exchanged(const StageSetup& setup, const std::vector<Observation>& rows,
                   StageMinimum& minimum);

}  // namespace bitlaw
