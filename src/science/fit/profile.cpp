#include "fit/profile.h"

#include <algorithm>
#include <cmath>

#include "fit/multistart.h"
#include "fit/profile_path.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

ProfileResult profile_one(const Path& path, const std::string& name, const PathPoint& minimum,
                          double quantile) {
  ProfileResult out;
  out.profile.name = name;
  std::vector<PathPoint> points{minimum};
  if (std::isfinite(path.error) && path.error > 0 && std::isfinite(path.unit) && path.unit > 0) {
    const double least = minimum.objective;
    out.profile.low = path.value(walk(path, minimum, least, -1, quantile, points));
    out.profile.high = path.value(walk(path, minimum, least, 1, quantile, points));
  }
  std::sort(points.begin(), points.end(),
            [](const PathPoint& a, const PathPoint& b) { return a.along < b.along; });
  out.objective = minimum.objective;
  for (const PathPoint& point : points) {
    out.objective = std::min(out.objective, point.objective);
    out.profile.points.push_back(
        {path.value(point.along), (point.objective - minimum.objective) / path.unit});
  }
  return out;
}

}  // namespace

std::vector<ProfileResult> profile(const StageSetup& setup, const std::vector<Observation>& rows,
                                   const std::vector<double>& values,
                                   const std::vector<ProfileTarget>& targets, double level,
                                   const ParallelFor& parallel_for) {
  const Sandwich sandwich = sandwich_of(setup, rows, values);
  const double quantile = t_quantile(0.5 + 0.5 * level, sandwich.freedom);
  StageSetup still = setup;
  still.free.clear();
  still.base = values;
  const double objective = fit_stage(still, rows).objective;
  std::vector<ProfileResult> out(targets.size());
  run_parallel(parallel_for, static_cast<int64_t>(targets.size()), [&](int64_t i) {
    const ProfileTarget& target = targets[static_cast<size_t>(i)];
    const Path path = path_of(setup, rows, values, sandwich, target);
    const double q = target.follow ? target.follow(values.data())
                                   : values[static_cast<size_t>(target.parameter)];
    const PathPoint minimum{path.along(q), objective, values};
    out[static_cast<size_t>(i)] = profile_one(path, target.name, minimum, quantile);
  });
  return out;
}

}  // namespace bitlaw
