#include "fit/stage.h"

#include <algorithm>

namespace bitlaw {
namespace {

Coordinates coordinates_of(const StageSetup& setup) {
  return {*setup.law, setup.base, setup.free, setup.tied_to};
}

}  // namespace

bool is_free(const StageSetup& setup, int parameter) {
  return std::count(setup.free.begin(), setup.free.end(), parameter) > 0;
}

StageMinimum stage_minimum(const Coordinates& coordinates, const Minimum& minimum) {
  return {.values = coordinates.values(minimum.x),
          .objective = minimum.objective,
          .converged = minimum.converged,
          .starts = 1,
          .reached = 1};
}

void run_parallel(const ParallelFor& parallel_for, int64_t count,
                  const std::function<void(int64_t)>& task) {
  if (parallel_for) {
    parallel_for(count, task);
  } else {
    for (int64_t i = 0; i < count; ++i) task(i);
  }
}

StageMinimum refit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                         const std::vector<double>& values, const std::vector<double>& weights,
                         double tolerance) {
  const Coordinates coordinates = coordinates_of(setup);
  const ResidualProblem problem =
      make_problem(*setup.law, rows, coordinates, setup.settings, weights);
  return stage_minimum(coordinates, minimise_residuals(problem, coordinates.from_values(values),
                                                       {.tolerance = tolerance}));
}

std::vector<double> stage_residuals(const StageSetup& setup, const std::vector<Observation>& rows,
                                    const std::vector<double>& values) {
  const Coordinates none(*setup.law, values, {}, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, none, setup.settings);
  Vector residuals(problem.rows);
  if (!problem.evaluate(Vector(0), residuals, nullptr)) return {};
  return {residuals.data(), residuals.data() + rows.size()};
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
