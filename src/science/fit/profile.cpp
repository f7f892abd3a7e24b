#include "fit/profile.h"

#include <algorithm>
#include <cmath>

#include "fit/multistart.h"
#include "fit/sandwich.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A point of a profile. `along` is the quantity, or its logarithm if it is always positive.
struct Point {
  double along = kUnknown;
  double objective = kInfinity;
  std::vector<double> values;  // the constants
};

// The least objective near along = target, downhill of `start`.
using Follow = std::function<Point(double target, const Point& start)>;

struct Path {
  Follow follow;
  bool logarithmic = false;
  double low = -kInfinity, high = kInfinity;  // of `along`
  double error = kUnknown;                    // standard error of `along`
  double unit = kUnknown;                     // lambda / 2: rise of the objective per squared error
};

constexpr SolverOptions kSolver{.evaluations = 300, .tolerance = 1e-9};

StageSetup without(StageSetup setup, int parameter) {
  std::erase(setup.free, parameter);
  return setup;
}

// A constant is followed by freezing it.
Follow follow_constant(const StageSetup& setup, const std::vector<Observation>& rows, int parameter,
                       bool logarithmic) {
  return [&rows, rest = without(setup, parameter), parameter, logarithmic](double target,
                                                                           const Point& start) {
    StageSetup at = rest;
    at.base = start.values;
    at.base[static_cast<size_t>(parameter)] = logarithmic ? std::exp(target) : target;
    const Coordinates coordinates(*at.law, at.base, at.free, at.tied_to);
    const ResidualProblem problem = make_problem(*at.law, rows, coordinates, at.settings);
    const Minimum minimum = minimise_residuals(problem, coordinates.from_values(at.base), kSolver);
    return Point{target, minimum.objective, coordinates.values(minimum.x)};
  };
}

// Any other quantity is pulled to the target by one more row, kappa (q - target). Where that ends,
// no point of the same q has a lower objective, whatever kappa is: it lies on the profile, though
// not quite at the target.
class PulledProblem {
 public:
  PulledProblem(const StageSetup& setup, const std::vector<Observation>& rows,
                std::function<double(const double*)> quantity, bool logarithmic, double kappa)
      : coordinates_(*setup.law, setup.base, setup.free, setup.tied_to),
        quantity_(std::move(quantity)),
        logarithmic_(logarithmic),
        kappa_(kappa),
        plain_(make_problem(*setup.law, rows, coordinates_, setup.settings)) {}
  PulledProblem(const PulledProblem&) = delete;

  Point follow(double target, const Point& start) const {
    constexpr int kPadding = 8;  // rows come in eights
    ResidualProblem pulled = plain_;
    pulled.rows = plain_.rows + kPadding;
    pulled.thresholds = Vector::Constant(pulled.rows, kInfinity);
    pulled.thresholds.head(plain_.rows).setConstant(plain_.huber);
    pulled.weights = Vector::Zero(pulled.rows);
    pulled.weights.head(plain_.rows) = plain_.weights;
    pulled.weights[plain_.rows] = 1;
    pulled.evaluate = [this, target](const Vector& x, Vector& r, Matrix* jacobian) {
      return evaluate(target, x, r, jacobian);
    };
    const Minimum minimum =
        minimise_residuals(pulled, coordinates_.from_values(start.values), kSolver);
    const double q = along(minimum.x);
    const double pull = kappa_ * (q - target);
    return {q, minimum.objective - 0.5 * pull * pull, coordinates_.values(minimum.x)};
  }

 private:
  double along(const Vector& x) const {
    const std::vector<double> values = coordinates_.values(x);
    const double q = quantity_(values.data());
    return logarithmic_ ? std::log(q) : q;
  }

  bool evaluate(double target, const Vector& x, Vector& r, Matrix* jacobian) const {
    Vector plain(plain_.rows);
    Matrix of_plain(plain_.rows, jacobian ? x.size() : 0);
    if (!plain_.evaluate(x, plain, jacobian ? &of_plain : nullptr)) return false;
    r.setZero();
    r.head(plain_.rows) = plain;
    const double q = along(x);
    if (!std::isfinite(q)) return false;
    r[plain_.rows] = kappa_ * (q - target);
    if (!jacobian) return true;
    jacobian->setZero();
    jacobian->topRows(plain_.rows) = of_plain;
    constexpr double kStep = 1e-4;
    for (long j = 0; j < x.size(); ++j) {
      Vector up = x, down = x;
      up[j] += kStep, down[j] -= kStep;
      (*jacobian)(plain_.rows, j) = kappa_ * (along(up) - along(down)) / (2 * kStep);
    }
    return jacobian->allFinite();
  }

  Coordinates coordinates_;
  std::function<double(const double*)> quantity_;
  bool logarithmic_;
  double kappa_;
  ResidualProblem plain_;
};

// d along / d x at the minimum.
Vector gradient(const StageSetup& setup, const std::vector<double>& values,
                const ProfileTarget& target, bool logarithmic) {
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const Vector x = coordinates.from_values(values);
  Vector out(x.size());
  constexpr double kStep = 1e-4;
  const auto along = [&](const Vector& at) {
    const std::vector<double> constants = coordinates.values(at);
    const double q = target.follow ? target.follow(constants.data())
                                   : constants[static_cast<size_t>(target.parameter)];
    return logarithmic ? std::log(q) : q;
  };
  for (long j = 0; j < x.size(); ++j) {
    Vector up = x, down = x;
    up[j] += kStep, down[j] -= kStep;
    out[j] = (along(up) - along(down)) / (2 * kStep);
  }
  return out;
}

Path path_of(const StageSetup& setup, const std::vector<Observation>& rows,
             const std::vector<double>& values, const Sandwich& sandwich,
             const ProfileTarget& target) {
  Path path;
  if (target.follow) {
    path.logarithmic = target.follow(values.data()) > 0;
  } else {
    const Parameter& p = setup.law->parameters[static_cast<size_t>(target.parameter)];
    path.logarithmic = p.scale == Scale::kLog;
    if (p.scale == Scale::kLog) path.low = std::log(p.low), path.high = std::log(p.high);
    if (p.scale == Scale::kLinear) path.low = p.low, path.high = p.high;
  }
  const Vector slope = gradient(setup, values, target, path.logarithmic);
  const double by_curvature = slope.dot(stable_inverse(sandwich.curvature) * slope);
  const double variance = slope.dot(sandwich.covariance * slope);
  path.error = std::sqrt(variance);
  path.unit = 0.5 * variance / by_curvature;
  if (!target.follow) {
    path.follow = follow_constant(setup, rows, target.parameter, path.logarithmic);
  } else {
    const auto pulled = std::make_shared<PulledProblem>(
        setup, rows, target.follow, path.logarithmic, std::sqrt(100 / by_curvature));
    path.follow = [pulled](double at, const Point& start) { return pulled->follow(at, start); };
  }
  return path;
}

// Walks to one side until the root of the rise passes `quantile`, then between the last two points
// to where it equals it. Returns that place, or NaN if there is none.
double walk(const Path& path, const Point& minimum, double direction, double quantile,
            std::vector<Point>& points) {
  const auto root = [&](const Point& point) {
    return std::sqrt(std::max(0.0, point.objective - minimum.objective) / path.unit);
  };
  const double bound = direction < 0 ? path.low : path.high;
  // Of the length at which a parabola would pass.
  constexpr double kLengths[] = {0.33, 0.67, 1, 1.33, 1.8, 2.5, 3.5, 5, 8, 13, 21};
  Point inside = minimum, outside;
  for (const double length : kLengths) {
    double target = minimum.along + direction * length * quantile * path.error;
    const bool at_bound = direction * (target - bound) >= 0;
    if (at_bound) target = bound;
    const Point next = path.follow(target, inside);
    if (!std::isfinite(next.objective) || !std::isfinite(next.along)) return kUnknown;
    points.push_back(next);
    if (root(next) >= quantile) {
      outside = next;
      break;
    }
    if (at_bound || direction * (next.along - inside.along) <= 0) return kUnknown;
    inside = next;
  }
  if (outside.values.empty()) return kUnknown;
  const auto crossing = [&] {
    const double share = (quantile - root(inside)) / (root(outside) - root(inside));
    return inside.along + share * (outside.along - inside.along);
  };
  for (int i = 0; i < 4; ++i) {
    const Point next = path.follow(crossing(), inside);
    if (!std::isfinite(next.objective)) break;
    points.push_back(next);
    (root(next) >= quantile ? outside : inside) = next;
    if (std::fabs(root(next) - quantile) < 1e-4 * quantile) break;
  }
  return crossing();
}

ProfileResult profile_one(const Path& path, const std::string& name, const Point& minimum,
                          double quantile) {
  ProfileResult out;
  out.profile.name = name;
  const auto back = [&](double along) { return path.logarithmic ? std::exp(along) : along; };
  std::vector<Point> points{minimum};
  if (std::isfinite(path.error) && path.error > 0 && std::isfinite(path.unit) && path.unit > 0) {
    out.profile.low = back(walk(path, minimum, -1, quantile, points));
    out.profile.high = back(walk(path, minimum, 1, quantile, points));
  }
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.along < b.along; });
  out.objective = minimum.objective;
  for (const Point& point : points) {
    out.objective = std::min(out.objective, point.objective);
    out.profile.points.push_back(
        {back(point.along), (point.objective - minimum.objective) / path.unit});
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
    const Point minimum{path.logarithmic ? std::log(q) : q, objective, values};
    out[static_cast<size_t>(i)] = profile_one(path, target.name, minimum, quantile);
  });
  return out;
}

}  // namespace bitlaw
