// How runs scatter around a fitted law. A run that has not been made deviates from the law's mean by
// as much as the fitted runs do, and beyond the fitted range by more, because no law is exact:
//
//   variance(distance) = variance + growth^2 size^2 + growth_bits^2 bits^2     (predict/reach.h)
//
// fit/run_scatter.h measures it.
#pragma once

#include <vector>

#include "base/json.h"
#include "laws/observation.h"
#include "predict/reach.h"

namespace bitlaw {

struct Scatter {
  // Measured less predicted, as the quantiles of what the fit did not itself absorb, at the shares
  // (i + 1/2) / count: of log loss; of deltas, in the error assumed for them.
  std::vector<double> quantiles;  // ascending; empty = unknown
  double deviation = kUnknown;    // root of their mean square
  // Standard deviation per factor of e beyond the fitted range; NaN = the rows cannot tell.
  double growth = kUnknown, growth_bits = kUnknown;
  double usual_error = 0, floor = 0;  // of deltas: in nats, and relative to the delta

  bool is_known() const { return !quantiles.empty(); }
  // By linear interpolation between the shares; the outermost beyond them.
  double quantile(double share) const;
  // Standard deviation that a distance adds; NaN where it is needed and not known.
  double added(const Distance& distance) const;
};

Json scatter_json(const Scatter& scatter);
Scatter scatter_from(const Json& document);

}  // namespace bitlaw
