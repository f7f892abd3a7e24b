// What a fit says of its uncertainty besides the intervals of its constants, as data.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// The least objective over all other constants, along one quantity.
struct ProfilePoint {
  double value = kUnknown;
  double rise = kUnknown;  // of the objective above its minimum, in squared standard errors
};

struct ProfileInterval {
  std::string name;  // of a constant or of a derived quantity
  // Where the rise comes to the squared quantile of Student's t; NaN = nowhere within the range
  // that was searched: the rows do not bound it on that side.
  double low = kUnknown, high = kUnknown;
  std::vector<ProfilePoint> points;  // by rising value; the minimum is among them
};

// A number that follows from the constants.
struct Derived {
  std::string name;  // "P* (weights)", "N_eff/N at P_w = 4"
  std::string unit;  // "bits", "tokens", "" for a pure number
  double value = kUnknown;
  double low = kUnknown, high = kUnknown;  // from the bootstrap draws; NaN = none
  std::string note;                        // what it rests on besides the rows; "" = nothing
};

}  // namespace bitlaw
