#include "fit/profile_path.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Follow = std::function<PathPoint(double target, const PathPoint& start)>;

constexpr SolverOptions kSolver{.evaluations = 300, .tolerance = 1e-9};

StageSetup without(StageSetup setup, int parameter) {
  std::erase(setup.free, parameter);
  return setup;
}

// A constant is followed by freezing it.
Follow follow_constant(const StageSetup& setup, const std::vector<Observation>& rows, int parameter,
                       bool logarithmic) {
  return [&rows, rest = without(setup, parameter), parameter, logarithmic](double target,
                                                                           const PathPoint& start) {
    StageSetup at = rest;
    at.base = start.values;
    at.base[static_cast<size_t>(parameter)] = logarithmic ? std::exp(target) : target;
    const Coordinates coordinates(*at.law, at.base, at.free, at.tied_to);
    const ResidualProblem problem = make_problem(*at.law, rows, coordinates, at.settings);
    const Minimum minimum = minimise_residuals(problem, coordinates.from_values(at.base), kSolver);
    return PathPoint{target, minimum.objective, coordinates.values(minimum.x)};
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

  PathPoint follow(double target, const PathPoint& start) const {
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

// The walk takes these lengths, in units of the one at which a parabola would pass, and then doubles
// them, as a flat quantity needs.
constexpr double kLengths[] = {0.33, 0.67, 1, 1.33, 1.8, 2.5, 3.5, 5, 8, 13, 21};

double length_of(size_t step) {
  constexpr size_t kCount = std::size(kLengths);
  return step < kCount ? kLengths[step]
                       : kLengths[kCount - 1] * std::pow(2, static_cast<double>(step + 1 - kCount));
}

// The length at which a parabola would pass. An error that the curvature cannot tell is taken as a
// thousandth of the range, and one as long as the range does not lead across it in one step.
double stride_of(const Path& path, double along, double quantile) {
  const double span = path.high - path.low;
  const double range = std::isfinite(span) ? span : 4 * (1 + std::fabs(along));
  const double stride = quantile * path.error;
  return std::isfinite(stride) && stride > 0 ? std::min(stride, 0.1 * range) : 1e-3 * range;
}

}  // namespace

double Path::along(double value) const {
  return logarithmic ? std::log(value) : value;
}

double Path::value(double along) const {
  return logarithmic ? std::exp(along) : along;
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
    path.follow = [pulled](double at, const PathPoint& start) { return pulled->follow(at, start); };
  }
  return path;
}

double rise_of(const Path& path, double least, const PathPoint& point) {
  return std::sqrt(std::max(0.0, point.objective - least) / path.unit);
}

double walk(const Path& path, const PathPoint& start, double least, double direction,
            double quantile, std::vector<PathPoint>& points) {
  constexpr size_t kMostSteps = 40;
  const double bound = direction < 0 ? path.low : path.high;
  const double stride = stride_of(path, start.along, quantile);
  PathPoint inside = start, outside;
  for (size_t step = 0; step < kMostSteps; ++step) {
    double target = start.along + direction * length_of(step) * stride;
    const bool at_bound = direction * (target - bound) >= 0;
    if (at_bound) target = bound;
    const PathPoint next = path.follow(target, inside);
    if (!std::isfinite(next.objective) || !std::isfinite(next.along)) return kUnknown;
    points.push_back(next);
    if (rise_of(path, least, next) >= quantile) {
      outside = next;
      break;
    }
    if (at_bound || direction * (next.along - inside.along) <= 0) return kUnknown;
    inside = next;
  }
  if (outside.values.empty()) return kUnknown;
  const auto crossing = [&] {
    const double from = rise_of(path, least, inside), to = rise_of(path, least, outside);
    return inside.along + (quantile - from) / (to - from) * (outside.along - inside.along);
  };
  for (int i = 0; i < 4; ++i) {
    const PathPoint next = path.follow(crossing(), inside);
    if (!std::isfinite(next.objective)) break;
    points.push_back(next);
    const double rise = rise_of(path, least, next);
    (rise >= quantile ? outside : inside) = next;
    if (std::fabs(rise - quantile) < 1e-4 * quantile) break;
  }
  return crossing();
}

}  // namespace bitlaw
