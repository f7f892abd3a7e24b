// What the rows allow: all constants at which the objective is not worse than at its minimum by more
// than the noise explains. A minimum and its curvature describe this set where it is small. Where the
// rows leave a direction open, it is a valley, or several wells, of which a fit finds one point, and
// which one depends on the seed. Then the set is explored: every constant is followed to both ends
// of what the rows allow (the profile likelihood), from every minimum that is as good as the best.
#pragma once

#include <string>
#include <vector>

#include "fit/bootstrap.h"
#include "fit/fit.h"
#include "fit/stage.h"

namespace bitlaw {

// The values of one constant that the rows allow.
struct AllowedRange {
  int parameter;  // position in the law
  double low = kUnknown, high = kUnknown;
  bool low_open = false, high_open = false;  // the rows set no end there: it is that of the search
  // Over most of the range the objective is as good as at the minimum: no value is a better one than
  // another.
  bool flat = false;
  // The rows tell a value of it.
  bool identified() const { return !flat && !(low_open && high_open); }
  // The range is that of a parabola around the minimum: a standard error describes it.
  bool regular = true;
};

struct Allowed {
  // False: the curvature at the minimum describes it, and the rest is empty.
  bool explored = false;
  StageSetup setup;  // of the stage, with the constants that were kept fixed and are not told apart
                     // from others moving too
  std::vector<AllowedRange> ranges;         // of the setup's free constants, in their order
  std::vector<std::vector<double>> points;  // constants that the rows allow, the best first

  const AllowedRange* range(int parameter) const;
};

struct FitAllowed {
  Allowed training, post;
};

// `kept`: constants that are fixed because the rows do not tell them from others (one token count
// says nothing about beta, but E and B depend on it). `minimum`: of the stage, with its other minima.
Allowed allowed_by(const StageSetup& setup, const std::vector<int>& kept,
                   const std::vector<Observation>& rows, const StageMinimum& minimum,
                   double condition, double level, const ParallelFor& parallel_for = {});

// The least and the greatest of the values that are finite; NaN if none is.
Interval range_of_values(const std::vector<double>& values);

}  // namespace bitlaw
