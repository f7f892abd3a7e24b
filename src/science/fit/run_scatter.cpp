#include "fit/run_scatter.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "base/statistics.h"
#include "fit/bootstrap.h"
#include "fit/identify.h"
#include "fit/residuals.h"
#include "fit/sandwich.h"
#include "fit/sketch.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

constexpr size_t kMostRows = 4096;   // more are sketched
constexpr size_t kQuantiles = 101;   // that are kept
constexpr double kLeastLeft = 0.02;  // of a residual that the fit absorbs nearly whole
constexpr long kLargeCluster = 96;   // of larger ones only the mean leverage counts

struct Linearised {
  Vector residuals;  // predicted less measured, in the stage's own units
  Matrix jacobian;
};

Linearised linearise(const StageSetup& setup, const std::vector<Observation>& rows,
                     const std::vector<double>& values) {
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  Linearised out{Vector(problem.rows), Matrix(problem.rows, coordinates.size())};
  problem.evaluate(coordinates.from_values(values), out.residuals, &out.jacobian);
  const long count = static_cast<long>(rows.size());
  out.residuals.conservativeResize(count);
  out.jacobian.conservativeResize(count, Eigen::NoChange);
  return out;
}

// (I - H)^(-1/2) r of one cluster.
Vector without_leverage(const Matrix& leverage, const Vector& residuals) {
  const long n = residuals.size();
  if (n > kLargeCluster) {
    const double left = 1 - leverage.trace() / static_cast<double>(n);
    return residuals / std::sqrt(std::max(left, kLeastLeft));
  }
  const Eigen::SelfAdjointEigenSolver<Matrix> parts(leverage);
  Vector turned = parts.eigenvectors().transpose() * residuals;
  for (long i = 0; i < n; ++i)
    turned[i] /= std::sqrt(std::max(1 - parts.eigenvalues()[i], kLeastLeft));
  return parts.eigenvectors() * turned;
}

// Measured less predicted, of every row, with the variance of runs.
std::vector<double> deviations(const Linearised& at, const std::vector<Observation>& rows) {
  const Matrix inverse = stable_inverse(at.jacobian.transpose() * at.jacobian);
  std::map<int, std::vector<long>> members;
  const std::vector<int> cluster = number_clusters(rows);
  for (size_t i = 0; i < rows.size(); ++i) members[cluster[i]].push_back(static_cast<long>(i));
  std::vector<double> out(rows.size());
  for (const auto& [unused, of_cluster] : members) {
    const Matrix jacobian = at.jacobian(of_cluster, Eigen::all);
    const Vector free =
        without_leverage(jacobian * inverse * jacobian.transpose(), at.residuals(of_cluster));
    for (size_t i = 0; i < of_cluster.size(); ++i)
      out[static_cast<size_t>(of_cluster[i])] = -free[static_cast<long>(i)];
  }
  return out;
}

double mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

// ---- beyond the fitted range ----

double size_of(const Observation& row) {
  return row.params;
}
double tokens_of(const Observation& row) {
  return row.tokens;
}
double compute_of(const Observation& row) {
  return row.params * row.tokens;
}
// Larger where bits are fewer, so that the outer rows are those of the lowest bits.
double coarseness_of(const Observation& row) {
  return -std::min(least_part_bits(row), row.is_post_training() ? row.bits_post : kUnquantizedBits);
}

struct Cut {
  double (*of)(const Observation&);
  double at;  // rows above are the outer ones
};

// Cuts above the given shares of the distinct values, if two or more remain inside.
void add_cuts(const std::vector<Observation>& rows, double (*of)(const Observation&),
              std::initializer_list<double> shares, std::vector<Cut>& out) {
  std::set<double> distinct;
  for (const Observation& row : rows) distinct.insert(of(row));
  const std::vector<double> values(distinct.begin(), distinct.end());
  std::set<size_t> places;
  for (const double share : shares) {
    const auto inside = static_cast<size_t>(share * static_cast<double>(values.size()));
    if (inside >= 2 && inside < values.size()) places.insert(inside - 1);
  }
  for (const size_t place : places) out.push_back({of, values[place]});
}

// The error of an outer row.
struct Outer {
  double square;    // of the error
  double distance;  // squared
};

// Nothing if the inner rows do not identify what all rows do.
std::vector<Outer> predict_outer(const StageSetup& setup, const std::vector<Observation>& rows,
                                 const std::vector<double>& values, const Cut& cut,
                                 double Distance::*along) {
  std::vector<Observation> inner, outer;
  for (const Observation& row : rows) (cut.of(row) > cut.at ? outer : inner).push_back(row);
  if (inner.size() < setup.free.size() + 3) return {};
  for (const Frozen& frozen : unidentifiable(*setup.law, setup.settings.stage, inner)) {
    if (is_free(setup, frozen.parameter)) return {};
  }
  const StageMinimum fitted = refit_stage(setup, inner, values, {}, 1e-9);
  if (!std::isfinite(fitted.objective)) return {};
  const Linearised at = linearise(setup, outer, fitted.values);
  const Reach reach = reach_of(inner);
  std::vector<Outer> out;
  for (size_t i = 0; i < outer.size(); ++i) {
    const double away = distance(reach, outer[i]).*along;
    const double error = at.residuals[static_cast<long>(i)];
    if (away > 0 && std::isfinite(error)) out.push_back({error * error, away * away});
  }
  return out;
}

// Weighted regression through zero; the weights depend on what comes out.
double growth_of(const std::vector<Outer>& rows, double of_runs) {
  if (rows.empty()) return kUnknown;
  double growth = 0;  // squared
  for (int pass = 0; pass < 8; ++pass) {
    double up = 0, down = 0;
    for (const Outer& row : rows) {
      const double spread = of_runs + growth * row.distance;
      const double weight = 1 / (spread * spread);
      up += weight * row.distance * (row.square - of_runs);
      down += weight * row.distance * row.distance;
    }
    growth = down > 0 ? std::max(0.0, up / down) : 0;
  }
  return std::sqrt(growth);
}

}  // namespace

Scatter run_scatter(const StageSetup& stage, const std::vector<Observation>& all,
                    const std::vector<double>& values, const ParallelFor& parallel_for) {
  Scatter out;
  const std::vector<Observation> rows =
      all.size() > kMostRows ? sketch_of(all, kMostRows / 2, stage.seed) : all;
  if (stage.free.empty() || rows.size() <= stage.free.size()) return out;
  StageSetup setup = stage;
  setup.settings.linear = setup.settings.weighted = false;  // runs scatter in log loss
  setup.settings.huber = std::numeric_limits<double>::infinity();
  std::vector<double> found = deviations(linearise(setup, rows, values), rows);
  std::erase_if(found, [](double value) { return !std::isfinite(value); });
  if (found.empty()) return out;
  const double variance = mean_square(found);
  out.deviation = std::sqrt(variance);
  std::sort(found.begin(), found.end());
  const Scatter all_found{.quantiles = found};
  const size_t count = std::min(found.size(), kQuantiles);
  for (size_t i = 0; i < count; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    out.quantiles.push_back(all_found.quantile(share));
  }
  if (is_of_differences(*stage.law, stage.settings.stage)) {
    out.floor = stage.settings.floor;
    std::vector<double> errors;
    for (const Observation& row : rows) {
      if (row.delta_standard_error > 0) errors.push_back(row.delta_standard_error);
    }
    if (!errors.empty()) out.usual_error = upper_median(std::move(errors));
  }

  std::vector<Cut> sizes, bits;
  for (double (*of)(const Observation&) : {size_of, tokens_of, compute_of})
    add_cuts(rows, of, {0.5, 2.0 / 3}, sizes);
  std::set<double> levels;
  for (const Observation& row : rows) levels.insert(coarseness_of(row));
  if (levels.size() >= 3) bits.push_back({coarseness_of, *std::prev(levels.end(), 2)});
  const auto growth = [&](const std::vector<Cut>& cuts, double Distance::*along) {
    std::vector<std::vector<Outer>> of_cut(cuts.size());
    run_parallel(parallel_for, static_cast<int64_t>(cuts.size()), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      of_cut[at] = predict_outer(stage, rows, values, cuts[at], along);
    });
    std::vector<Outer> together;
    for (const std::vector<Outer>& each : of_cut)
      together.insert(together.end(), each.begin(), each.end());
    return growth_of(together, variance);
  };
  out.growth = growth(sizes, &Distance::size);
  out.growth_bits = growth(bits, &Distance::bits);
  return out;
}

}  // namespace bitlaw
