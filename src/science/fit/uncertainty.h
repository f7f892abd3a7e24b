// Uncertainty of a fit beyond the intervals of its constants, as data.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// The minimum of the objective over all other constants, along one quantity.
struct ProfilePoint {
  double value = kUnknown;
  double rise = kUnknown;  // of the objective above its minimum, in squared standard errors
};

struct ProfileInterval {
  std::string name;  // of a constant or of a derived quantity
  // Where the rise reaches the squared quantile of Student's t; NaN = nowhere in the search range:
  // the rows do not bound it on that side.
  double low = kUnknown, high = kUnknown;
  std::vector<ProfilePoint> points;  // by ascending value, the minimum included
};

// A quantity derived from the constants.
struct Derived {
  std::string name;  // "P* (weights)", "N_eff/N at P_w = 4"
  std::string unit;  // "bits", "tokens", "" for a pure number
  double value = kUnknown;
  double low = kUnknown, high = kUnknown;  // from the bootstrap draws; NaN = none
  std::string note;  // constants it depends on that were not fitted; "" = none
};

}  // namespace bitlaw
