#include "tune/fleet.h"

#include <cmath>

namespace bitlaw {

double TuneAxis::place_of(double value) const {
  if (log) return 2 * std::log(value / from) / std::log(to / from) - 1;
  return 2 * (value - from) / (to - from) - 1;
}

double TuneAxis::value_at(double place) const {
  const double share = (place + 1) / 2;
  return log ? from * std::pow(to / from, share) : from + (to - from) * share;
}

}  // namespace bitlaw
