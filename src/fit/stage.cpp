#include "fit/stage.h"

#include <algorithm>
#include <cmath>

#include "fit/starts.h"

namespace bitlaw {
namespace {

Coordinates coordinates_of(const StageSetup& setup) {
  return {*setup.law, setup.base, setup.free, setup.tied_to};
}

StageMinimum result(const Coordinates& coordinates, const Minimum& minimum) {
  return {.values = coordinates.values(minimum.x),
          .objective = minimum.objective,
          .converged = minimum.converged,
          .starts = 1,
          .reached = 1};
}

}  // namespace

void run_parallel(const ParallelFor& parallel_for, int64_t count,
                  const std::function<void(int64_t)>& task) {
  if (parallel_for) {
    parallel_for(count, task);
  } else {
    for (int64_t i = 0; i < count; ++i) task(i);
  }
}

StageMinimum fit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                       const ParallelFor& parallel_for) {
  const Coordinates coordinates = coordinates_of(setup);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  if (setup.free.empty()) {  // nothing to move: the objective of the constants as they are
    Vector residuals(problem.rows);
    const Minimum still = minimise_residuals(problem, Vector(0), {.evaluations = 1});
    StageMinimum out = result(coordinates, still);
    out.values = setup.base;
    out.converged = true;
    return out;
  }

  std::vector<Minimum> found(std::max(1, setup.starts));
  run_parallel(parallel_for, static_cast<int64_t>(found.size()), [&](int64_t i) {
    found[i] = minimise_residuals(problem,
                                  starting_point(*setup.law, rows, coordinates, setup.settings,
                                                 static_cast<int>(i), setup.seed),
                                  {.tolerance = 1e-3});
  });
  // The first phase ends within a percent or so of a minimum; the best few are followed to the end.
  constexpr int64_t kPolished = 8;
  const auto better = [](const Minimum& a, const Minimum& b) { return a.objective < b.objective; };
  std::sort(found.begin(), found.end(), better);
  run_parallel(parallel_for, std::min(kPolished, static_cast<int64_t>(found.size())),
               [&](int64_t i) {
                 if (std::isfinite(found[i].objective))
                   found[i] = minimise_residuals(problem, found[i].x, {});
               });
  const Minimum& best = *std::min_element(found.begin(), found.end(), better);
  StageMinimum out = result(coordinates, best);
  out.starts = static_cast<int>(found.size());
  out.reached =
      static_cast<int>(std::count_if(found.begin(), found.end(), [&](const Minimum& each) {
        return each.objective <= best.objective * 1.01;
      }));
  return out;
}

StageMinimum refit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                         const std::vector<double>& values, const std::vector<double>& weights) {
  const Coordinates coordinates = coordinates_of(setup);
  const ResidualProblem problem =
      make_problem(*setup.law, rows, coordinates, setup.settings, weights);
  return result(coordinates,
                minimise_residuals(problem, coordinates.from_values(values), {.tolerance = 1e-6}));
}

Matrix stage_jacobian(const StageSetup& setup, const std::vector<Observation>& rows,
                      const std::vector<double>& values) {
  const Coordinates coordinates = coordinates_of(setup);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  Vector residuals(problem.rows);
  Matrix jacobian(problem.rows, coordinates.size());
  problem.evaluate(coordinates.from_values(values), residuals, &jacobian);
  return jacobian;
}

}  // namespace bitlaw
