// A path along one quantity of a stage: the least objective at every value of it, from which profiles
// and the range of what the rows allow are made.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "fit/sandwich.h"
#include "fit/stage.h"

namespace bitlaw {

// What to follow: a constant, or a smooth function of all constants.
struct ProfileTarget {
  std::string name;
  int parameter = -1;                             // position in the law, free in the stage; or
  std::function<double(const double* p)> follow;  // NaN if it has no value
};

// A point of a path. `along` is the quantity, or its logarithm if it is always positive.
struct PathPoint {
  double along = kUnknown;
  double objective = std::numeric_limits<double>::infinity();
  std::vector<double> values;  // the constants
};

struct Path {
  // The least objective near along = target, downhill of `start`.
  std::function<PathPoint(double target, const PathPoint& start)> follow;
  bool logarithmic = false;
  double low = -std::numeric_limits<double>::infinity();  // of `along`
  double high = std::numeric_limits<double>::infinity();
  double error = kUnknown;  // standard error of `along`
  double unit = kUnknown;   // lambda / 2: rise of the objective per squared error

  double along(double value) const;  // and back
  double value(double along) const;
};

// values: the minimum of the stage, of which `sandwich` is.
Path path_of(const StageSetup& setup, const std::vector<Observation>& rows,
             const std::vector<double>& values, const Sandwich& sandwich,
             const ProfileTarget& target);

// The root of the rise above `least`, in standard errors.
double rise_of(const Path& path, double least, const PathPoint& point);

// Walks from `start` to one side (direction -1 or 1) until the root of the rise above `least` passes
// `quantile`, then between the last two points to where it equals it. Returns that place, or NaN if
// there is none before the end of the range. All points go into `points`.
double walk(const Path& path, const PathPoint& start, double least, double direction,
            double quantile, std::vector<PathPoint>& points);

}  // namespace bitlaw
