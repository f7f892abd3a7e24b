#include "fit/allowed.h"

#include <algorithm>
#include <cmath>

#include "fit/multistart.h"
#include "fit/profile_path.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

// Above this, the curvature at the minimum does not describe what the rows allow.
constexpr double kFlatCondition = 1000;
// A rise of the objective, in squared standard errors, that nothing can be concluded from.
constexpr double kNoRise = 0.05;
constexpr double kFlatShare = 0.4;  // of a range without a rise; a parabola has about 0.13
constexpr double kRegular =
    1.5;  // longer or shorter by this than that of the parabola: not regular
// Noise of log losses below this is not believed: tables without noise, to their last digit.
constexpr double kLeastNoise = 1e-7;

// What one squared standard error raises the objective by, at least.
double unit_of(const Sandwich& sandwich) {
  const double directions = static_cast<double>(std::max<long>(1, sandwich.curvature.rows()));
  const double mean = (sandwich.covariance * sandwich.curvature).trace() / directions;
  return 0.5 * std::max(std::isfinite(mean) ? mean : 0.0, kLeastNoise * kLeastNoise);
}

StageSetup with(StageSetup setup, const std::vector<int>& kept) {
  setup.free.insert(setup.free.end(), kept.begin(), kept.end());
  std::sort(setup.free.begin(), setup.free.end());
  return setup;
}

struct Walker {
  const StageSetup& setup;
  const std::vector<Observation>& rows;
  const Sandwich& sandwich;
  const std::vector<PathPoint>& minima;  // the best first; `along` is not set
  double quantile, unit;
};

double along_of(const Path& path, const PathPoint& point, int parameter) {
  return path.along(point.values[static_cast<size_t>(parameter)]);
}

// The share of [low, high] over which the objective hardly rises, by linear interpolation of the
// sorted points.
double level_share(const Path& path, double least, const std::vector<PathPoint>& points, double low,
                   double high) {
  double level = 0;
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const double from = std::max(points[i].along, low), to = std::min(points[i + 1].along, high);
    if (!(to > from)) continue;
    const auto is_level = [&](const PathPoint& point) {
      return std::pow(rise_of(path, least, point), 2) < kNoRise;
    };
    level += (to - from) * 0.5 * (is_level(points[i]) + is_level(points[i + 1]));
  }
  return high > low ? level / (high - low) : 1;
}

AllowedRange range_of(const Walker& walker, int parameter, std::vector<PathPoint>& seen) {
  const PathPoint& best = walker.minima.front();
  const char* name = walker.setup.law->parameters[static_cast<size_t>(parameter)].name;
  Path path = path_of(walker.setup, walker.rows, best.values, walker.sandwich,
                      ProfileTarget{name, parameter, {}});
  if (!(path.unit >= walker.unit)) path.unit = walker.unit;
  const double least = best.objective;
  std::vector<PathPoint> points;
  double low = kUnknown, high = kUnknown;
  AllowedRange out{.parameter = parameter};
  // From the best minimum, then from those that lie outside of what was found so far.
  for (const PathPoint& minimum : walker.minima) {
    PathPoint start = minimum;
    start.along = along_of(path, start, parameter);
    if (!std::isfinite(start.along) || rise_of(path, least, start) > walker.quantile) continue;
    points.push_back(start);
    const auto extend = [&](double direction, double& end, bool& open) {
      if (open || (std::isfinite(end) && direction * (start.along - end) <= 0)) return;
      const double reached = walk(path, start, least, direction, walker.quantile, points);
      open = std::isnan(reached);
      end = reached;
    };
    extend(-1, low, out.low_open);
    extend(1, high, out.high_open);
  }
  std::sort(points.begin(), points.end(),
            [](const PathPoint& a, const PathPoint& b) { return a.along < b.along; });
  if (out.low_open) low = points.front().along;
  if (out.high_open) high = points.back().along;
  const double half = walker.quantile * path.error;
  const double centre = along_of(path, best, parameter);
  out.flat = level_share(path, least, points, low, high) > kFlatShare;
  const auto is_half = [&](double length) {
    return length <= kRegular * half && half <= kRegular * length;
  };
  out.regular = !out.low_open && !out.high_open && !out.flat && is_half(high - centre) &&
                is_half(centre - low);
  out.low = path.value(low), out.high = path.value(high);
  for (PathPoint& point : points) {
    if (rise_of(path, least, point) <= 1.001 * walker.quantile) seen.push_back(std::move(point));
  }
  return out;
}

std::vector<PathPoint> minima_of(const StageMinimum& minimum) {
  std::vector<PathPoint> out{{kUnknown, minimum.objective, minimum.values}};
  for (const StageMinimum::Other& other : minimum.others)
    out.push_back({kUnknown, other.objective, other.values});
  return out;
}

// Another minimum that the noise does not tell from the best.
bool has_rival(const StageMinimum& minimum, double unit, double quantile) {
  return std::any_of(minimum.others.begin(), minimum.others.end(), [&](const auto& other) {
    return other.objective - minimum.objective <= quantile * quantile * unit;
  });
}

}  // namespace

const AllowedRange* Allowed::range(int parameter) const {
  for (const AllowedRange& each : ranges) {
    if (each.parameter == parameter) return &each;
  }
  return nullptr;
}

Interval range_of_values(const std::vector<double>& values) {
  Interval out;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    if (!(out.low <= value)) out.low = value;
    if (!(out.high >= value)) out.high = value;
  }
  return out;
}

Allowed allowed_by(const StageSetup& stage, const std::vector<int>& kept,
                   const std::vector<Observation>& rows, const StageMinimum& minimum,
                   double condition, double level, const ParallelFor& parallel_for) {
  Allowed out;
  if (stage.free.empty()) return out;
  const Sandwich sandwich = sandwich_of(stage, rows, minimum.values);
  const double unit = unit_of(sandwich);
  const double quantile = t_quantile(0.5 + 0.5 * level, sandwich.freedom);
  const Coordinates coordinates(*stage.law, stage.base, stage.free, stage.tied_to);
  const bool at_bound = !coordinates.at_bounds(coordinates.from_values(minimum.values)).empty();
  if (kept.empty() && !at_bound && condition < kFlatCondition &&
      !has_rival(minimum, unit, quantile))
    return out;

  out.explored = true;
  out.setup = with(stage, kept);
  const Sandwich wider = kept.empty() ? sandwich : sandwich_of(out.setup, rows, minimum.values);
  const std::vector<PathPoint> minima = minima_of(minimum);
  const Walker walker{out.setup, rows, wider, minima, quantile, unit};
  const size_t count = out.setup.free.size();
  std::vector<std::vector<PathPoint>> seen(count);
  out.ranges.resize(count);
  run_parallel(parallel_for, static_cast<int64_t>(count), [&](int64_t i) {
    const size_t at = static_cast<size_t>(i);
    out.ranges[at] = range_of(walker, out.setup.free[at], seen[at]);
  });
  out.points.push_back(minimum.values);
  for (std::vector<PathPoint>& of_one : seen) {
    for (PathPoint& point : of_one) out.points.push_back(std::move(point.values));
  }
  return out;
}

}  // namespace bitlaw
