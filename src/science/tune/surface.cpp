#include "tune/surface.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/statistics.h"

namespace bitlaw {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

// value = constant + slope u + u' curvature u / 2, u in [-1, 1]^d
struct Quadratic {
  double constant = 0;
  Vector slope;
  Matrix curvature;

  double at(const Vector& u) const { return constant + slope.dot(u) + 0.5 * u.dot(curvature * u); }
};

Eigen::Index terms_of(Eigen::Index d, bool cross) {
  return 1 + 2 * d + (cross ? d * (d - 1) / 2 : 0);
}

void fill_row(const Vector& u, bool cross, Matrix::RowXpr row) {
  const Eigen::Index d = u.size();
  Eigen::Index column = 0;
  row[column++] = 1;
  for (Eigen::Index k = 0; k < d; ++k) row[column++] = u[k];
  for (Eigen::Index k = 0; k < d; ++k) row[column++] = 0.5 * u[k] * u[k];
  if (!cross) return;
  for (Eigen::Index k = 0; k < d; ++k) {
    for (Eigen::Index l = k + 1; l < d; ++l) row[column++] = u[k] * u[l];
  }
}

Quadratic quadratic_of(const Vector& terms, Eigen::Index d, bool cross) {
  Quadratic out{.constant = terms[0],
                .slope = terms.segment(1, d),
                .curvature = terms.segment(1 + d, d).asDiagonal()};
  Eigen::Index column = 1 + 2 * d;
  if (!cross) return out;
  for (Eigen::Index k = 0; k < d; ++k) {
    for (Eigen::Index l = k + 1; l < d; ++l)
      out.curvature(k, l) = out.curvature(l, k) = terms[column++];
  }
  return out;
}

// Of the points `chosen`; some may be chosen more than once.
Quadratic fit_quadratic(const std::vector<Vector>& places, const std::vector<double>& losses,
                        const std::vector<size_t>& chosen, bool cross) {
  const Eigen::Index d = places[0].size();
  const auto n = static_cast<Eigen::Index>(chosen.size());
  Matrix design(n, terms_of(d, cross));
  Vector values(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const size_t point = chosen[static_cast<size_t>(i)];
    fill_row(places[point], cross, design.row(i));
    values[i] = losses[point];
  }
  return quadratic_of(design.colPivHouseholderQr().solve(values), d, cross);
}

// The least value within the box, by descending one coordinate after the other from the better of
// several starts; where a coordinate curves down, its better end.
Vector least_in_box(const Quadratic& q) {
  const Eigen::Index d = q.slope.size();
  Vector best;
  for (const double start : {-0.5, 0.0, 0.5}) {
    Vector u = Vector::Constant(d, start);
    for (int round = 0; round < 200; ++round) {
      double moved = 0;
      for (Eigen::Index k = 0; k < d; ++k) {
        const double slope = q.slope[k] + q.curvature.row(k).dot(u) - q.curvature(k, k) * u[k];
        const double curvature = q.curvature(k, k);
        double next = slope > 0 ? -1 : 1;
        if (curvature > 0) next = std::clamp(-slope / curvature, -1.0, 1.0);
        moved = std::max(moved, std::fabs(next - u[k]));
        u[k] = next;
      }
      if (moved < 1e-9) break;
    }
    if (best.size() == 0 || q.at(u) < q.at(best)) best = u;
  }
  return best;
}

// Of one axis, the others at their best.
AxisOptimum axis_optimum(const TuneAxis& axis, Eigen::Index k, const Quadratic& q, const Vector& u,
                         std::vector<double> draws, double rise) {
  AxisOptimum out{.key = axis.key};
  std::sort(draws.begin(), draws.end());
  const double low = percentile(draws, 0.05), high = percentile(draws, 0.95);
  constexpr double kEdge = 0.999, kHardly = 1.2;
  Vector end = u;
  double over_range = 0;
  for (const double place : {-1.0, 1.0}) {
    end[k] = place;
    over_range = std::max(over_range, q.at(end) - q.at(u));
  }
  if (over_range < rise) {
    out.missing =
        fmt::format("the loss hardly depends on it: {:.2g} nats over the whole range", over_range);
  } else if (high - low >= kHardly) {
    out.missing = fmt::format("not known: anywhere from {:.3g} to {:.3g}", axis.value_at(low),
                              axis.value_at(high));
  } else if (low <= -kEdge || u[k] <= -kEdge) {
    out.missing = fmt::format("best at {:.3g} or below, the low end of the range being {:.3g}",
                              axis.value_at(high), axis.from);
  } else if (high >= kEdge || u[k] >= kEdge) {
    out.missing = fmt::format("best at {:.3g} or above, the high end of the range being {:.3g}",
                              axis.value_at(low), axis.to);
  } else {
    out.best = {axis.value_at(u[k]), axis.value_at(low), axis.value_at(high)};
    const double half = std::sqrt(2 * rise / q.curvature(k, k));
    out.flat_low = axis.value_at(std::max(-1.0, u[k] - half));
    out.flat_high = axis.value_at(std::min(1.0, u[k] + half));
  }
  return out;
}

}  // namespace

Surface fit_surface(const TuneFleet& fleet, const SurfaceOptions& options) {
  const auto d = static_cast<Eigen::Index>(fleet.axes.size());
  std::vector<Vector> places;
  std::vector<double> losses;
  for (const TunePoint& point : fleet.points) {
    if (!std::isfinite(point.loss)) continue;
    Vector u(d);
    for (Eigen::Index k = 0; k < d; ++k) {
      const auto axis = static_cast<size_t>(k);
      u[k] = fleet.axes[axis].place_of(point.values[axis]);
    }
    places.push_back(u);
    losses.push_back(point.loss);
  }
  std::vector<size_t> chosen(places.size());
  std::iota(chosen.begin(), chosen.end(), size_t{0});
  std::sort(chosen.begin(), chosen.end(),
            [&](size_t a, size_t b) { return losses[a] < losses[b]; });
  // The better half, but enough for the terms of a quadratic without products.
  const auto least = static_cast<size_t>(3 * terms_of(d, false));
  Surface out;
  if (d == 0 || chosen.size() < least) {
    out.missing = fmt::format(
        "{} configurations with a loss are too few for {} hyperparameters; {} are "
        "the least",
        chosen.size(), d, least);
    return out;
  }
  chosen.resize(std::max(least, (chosen.size() + 1) / 2));
  const bool cross = static_cast<Eigen::Index>(chosen.size()) >= 2 * terms_of(d, true);
  const Quadratic q = fit_quadratic(places, losses, chosen, cross);
  const Vector best = least_in_box(q);
  std::vector<std::vector<double>> draws(fleet.axes.size());
  for (int64_t draw = 0; draw < options.draws; ++draw) {
    std::vector<size_t> sample(chosen.size());
    for (size_t i = 0; i < sample.size(); ++i) {
      sample[i] = chosen[static_cast<size_t>(
          random_below(options.seed, static_cast<uint64_t>(draw), i, chosen.size()))];
    }
    const Vector u = least_in_box(fit_quadratic(places, losses, sample, cross));
    for (size_t k = 0; k < draws.size(); ++k) draws[k].push_back(u[static_cast<Eigen::Index>(k)]);
  }
  double squares = 0;
  for (const size_t point : chosen) squares += std::pow(losses[point] - q.at(places[point]), 2);
  out.points = std::ssize(chosen);
  out.residual = std::sqrt(
      squares / static_cast<double>(std::max<Eigen::Index>(1, out.points - terms_of(d, cross))));
  for (Eigen::Index k = 0; k < d; ++k) {
    const auto axis = static_cast<size_t>(k);
    out.axes.push_back(
        axis_optimum(fleet.axes[axis], k, q, best, std::move(draws[axis]), options.rise));
  }
  return out;
}

}  // namespace bitlaw
