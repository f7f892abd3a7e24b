#include "fit/stage.h"

#include <algorithm>
#include <cmath>

#include "fit/sketch.h"
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

// Points followed on all rows, the best of the sketch.
constexpr size_t kFollowed = 16;

// A point where several starts met.
struct Meeting {
  Minimum minimum;
  int starts = 1;
  bool operator<(const Meeting& other) const { return minimum.objective < other.minimum.objective; }
};

// The distinct points among `found`, best first. Minima are told to six digits and more; where the
// rows leave a direction open, points along it stay apart, which costs time but no truth.
std::vector<Meeting> meet(std::vector<Minimum> found) {
  std::vector<Meeting> out;
  for (Minimum& each : found) {
    const auto same = [&](const Meeting& meeting) {
      const Vector& x = meeting.minimum.x;
      return ((x - each.x).array().abs() <= 1e-4 * (1 + x.array().abs())).all();
    };
    const auto known = std::find_if(out.begin(), out.end(), same);
    if (known == out.end()) {
      out.push_back({std::move(each)});
    } else {
      ++known->starts;
      if (each.objective < known->minimum.objective) known->minimum = std::move(each);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// All starts go down to minima over `first`, all rows or a sketch of them; starts that meet there
// are one from there on, and the best points are followed to minima of `problem`, over all rows.
StageMinimum from_starts(const StageSetup& setup, const std::vector<Observation>& first,
                         const ResidualProblem& problem, const Coordinates& coordinates,
                         const ParallelFor& parallel_for) {
  const ResidualProblem quick = make_problem(*setup.law, first, coordinates, setup.settings);
  std::vector<Minimum> found(static_cast<size_t>(std::max(1, setup.starts)));
  run_parallel(parallel_for, static_cast<int64_t>(found.size()), [&](int64_t i) {
    const Vector start = starting_point(*setup.law, first, coordinates, setup.settings,
                                        static_cast<int>(i), setup.seed);
    found[static_cast<size_t>(i)] = minimise_residuals(quick, start, {.tolerance = 1e-12});
  });
  std::vector<Meeting> meetings = meet(std::move(found));
  meetings.resize(std::min<size_t>(meetings.size(), kFollowed));
  run_parallel(parallel_for, static_cast<int64_t>(meetings.size()), [&](int64_t i) {
    Minimum& minimum = meetings[static_cast<size_t>(i)].minimum;
    minimum = minimise_residuals(problem, minimum.x, {});
  });
  const auto best = std::min_element(meetings.begin(), meetings.end());
  StageMinimum out = result(coordinates, best->minimum);
  out.starts = setup.starts;
  out.reached = 0;
  for (const Meeting& each : meetings) {
    if (each.minimum.objective <= best->minimum.objective * 1.01) out.reached += each.starts;
  }
  return out;
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

  // On a sketch of the rows first. Where half of the starts or more then agree on the minimum over
  // all rows, that is it; else all of them go down over all rows, whatever it takes.
  const size_t few = std::max<size_t>(64, 7 * setup.free.size());
  constexpr size_t kMany = 4;
  if (rows.size() <= kMany * few)
    return from_starts(setup, rows, problem, coordinates, parallel_for);
  const StageMinimum quick =
      from_starts(setup, sketch_of(rows, few, setup.seed), problem, coordinates, parallel_for);
  if (2 * quick.reached >= quick.starts) return quick;
  const StageMinimum sure = from_starts(setup, rows, problem, coordinates, parallel_for);
  return sure.objective <= quick.objective ? sure : quick;
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
