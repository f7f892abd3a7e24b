// Starting points. The first is at published constants; the others fill the box of plausible values
// evenly (the R_d sequence of Roberts 2018: multiples of powers of a generalised golden ratio).
// Constants in which the loss is linear are not drawn but solved for, so that every start already
// has the right scale.
#pragma once

#include <vector>

#include "fit/coordinates.h"
#include "fit/residuals.h"
#include "laws/observation.h"

namespace bitlaw {

// The coordinates of start number `index`.
Vector starting_point(const Law& law, const std::vector<Observation>& rows,
                      const Coordinates& coordinates, const ResidualSettings& settings, int index,
                      uint64_t seed);

}  // namespace bitlaw
