#include "fit/multistart.h"

#include <algorithm>
#include <cmath>

#include "fit/sketch.h"
#include "fit/starts.h"

namespace bitlaw {
namespace {

constexpr double kSame = 1.01;    // objectives this near are one minimum
constexpr int kBatch = 16;        // starts between two looks at what was seen
constexpr size_t kFollowed = 16;  // points followed on all rows, the best of the first descent

// With so many times the rows of a sketch, starts descend on the sketch first.
constexpr size_t kMany = 4;

bool lower(const Minimum& a, const Minimum& b) {
  return a.objective < b.objective;
}

// The descents of one stage: over all rows or a sketch of them.
class Descents {
 public:
  Descents(const StageSetup& setup, const std::vector<Observation>& rows,
           const Coordinates& coordinates, const SolverOptions& solver,
           const ParallelFor& parallel_for)
      : setup_(setup),
        rows_(rows),
        coordinates_(coordinates),
        problem_(make_problem(*setup.law, rows, coordinates, setup.settings)),
        solver_(solver),
        parallel_for_(parallel_for) {}

  void from_points(const std::vector<std::vector<double>>& points) {
    follow(points.size(), [&](size_t i) { return coordinates_.from_values(points[i]); });
  }
  void from_next_starts(int count) {
    follow(static_cast<size_t>(count), [&](size_t i) {
      return starting_point(*setup_.law, rows_, coordinates_, setup_.settings,
                            starts_ + static_cast<int>(i), setup_.seed);
    });
    starts_ += count;
  }
  int starts() const { return starts_; }  // numbered ones so far
  std::vector<Minimum>& found() { return found_; }

 private:
  template <class Start>
  void follow(size_t count, const Start& start) {
    const size_t before = found_.size();
    found_.resize(before + count);
    run_parallel(parallel_for_, static_cast<int64_t>(count), [&](int64_t i) {
      const size_t at = static_cast<size_t>(i);
      found_[before + at] = minimise_residuals(problem_, start(at), solver_);
    });
  }

  const StageSetup& setup_;
  const std::vector<Observation>& rows_;
  const Coordinates& coordinates_;
  const ResidualProblem problem_;
  const SolverOptions solver_;
  const ParallelFor& parallel_for_;
  int starts_ = 0;
  std::vector<Minimum> found_;
};

// Nothing to move: the objective of the constants as they are.
StageMinimum as_it_is(const StageSetup& setup, const ResidualProblem& problem,
                      const Coordinates& coordinates) {
  StageMinimum out =
      stage_minimum(coordinates, minimise_residuals(problem, Vector(0), {.evaluations = 1}));
  out.values = setup.base;
  out.converged = true;
  return out;
}

// A point that several starts reached.
struct Meeting {
  Minimum minimum;
  int starts = 1;
  bool operator<(const Meeting& other) const { return lower(minimum, other.minimum); }
};

// The distinct points among `found`, best first. Minima are distinguished by six digits and more;
// where the rows leave a direction open, points along it stay apart, which costs time but no truth.
std::vector<Meeting> meet(std::vector<Meeting> found) {
  std::vector<Meeting> out;
  for (Meeting& each : found) {
    const auto same = [&](const Meeting& meeting) {
      const Vector& x = meeting.minimum.x;
      return ((x - each.minimum.x).array().abs() <= 1e-4 * (1 + x.array().abs())).all();
    };
    const auto known = std::find_if(out.begin(), out.end(), same);
    if (known == out.end()) {
      out.push_back(std::move(each));
    } else {
      known->starts += each.starts;
      if (each < *known) known->minimum = std::move(each.minimum);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Meeting> meet(std::vector<Minimum> found) {
  std::vector<Meeting> each;
  for (Minimum& minimum : found) each.push_back({std::move(minimum)});
  return meet(std::move(each));
}

// A sketch between that of the starts and a large table, whose points are one step from a minimum
// over all rows; all rows if they are not so many.
std::vector<Observation> middle_sketch(const StageSetup& setup,
                                       const std::vector<Observation>& rows) {
  constexpr size_t kLarge = 8192, kMiddle = 2048;
  const size_t count = std::max(kMiddle, 16 * setup.free.size());
  return rows.size() <= std::max(kLarge, kMany * count) ? rows : sketch_of(rows, count, setup.seed);
}

// Every meeting followed to a minimum over `rows`; those that meet there are one.
std::vector<Meeting> follow(std::vector<Meeting> meetings, const StageSetup& setup,
                            const std::vector<Observation>& rows, const Coordinates& coordinates,
                            const ParallelFor& parallel_for) {
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  run_parallel(parallel_for, static_cast<int64_t>(meetings.size()), [&](int64_t i) {
    Minimum& minimum = meetings[static_cast<size_t>(i)].minimum;
    minimum = minimise_residuals(problem, minimum.x, {.tolerance = 1e-12});
  });
  return meet(std::move(meetings));
}

// All starts go down to minima over `first`, all rows or a sketch of them; starts that meet there
// are one from there on, and the best points are followed to minima of `problem`, over all rows;
// in a large table, by way of a larger sketch.
StageMinimum from_all_starts(const StageSetup& setup, const std::vector<Observation>& first,
                             const std::vector<Observation>& rows, const ResidualProblem& problem,
                             const Coordinates& coordinates, const ParallelFor& parallel_for) {
  Descents quick(setup, first, coordinates, {.tolerance = 1e-12}, parallel_for);
  quick.from_next_starts(std::max(1, setup.starts));
  std::vector<Meeting> meetings = meet(std::move(quick.found()));
  meetings.resize(std::min(meetings.size(), kFollowed));
  const std::vector<Observation> middle = middle_sketch(setup, rows);
  if (first.size() < middle.size() && middle.size() < rows.size())
    meetings = follow(std::move(meetings), setup, middle, coordinates, parallel_for);
  run_parallel(parallel_for, static_cast<int64_t>(meetings.size()), [&](int64_t i) {
    Minimum& minimum = meetings[static_cast<size_t>(i)].minimum;
    minimum = minimise_residuals(problem, minimum.x, {});
  });
  const auto best = std::min_element(meetings.begin(), meetings.end());
  StageMinimum out = stage_minimum(coordinates, best->minimum);
  out.starts = setup.starts;
  out.reached = 0;
  for (const Meeting& each : meetings) {
    if (each.minimum.objective <= best->minimum.objective * kSame) out.reached += each.starts;
    const Vector& x = best->minimum.x;
    const bool apart = ((each.minimum.x - x).array().abs() > 1e-3 * (1 + x.array().abs())).any();
    if (apart && each.minimum.objective <= 2 * best->minimum.objective)
      out.others.push_back({each.minimum.objective, coordinates.values(each.minimum.x)});
  }
  return out;
}

int count_minima(const std::vector<Minimum>& found) {
  std::vector<double> objectives;
  for (const Minimum& each : found) {
    if (std::isfinite(each.objective)) objectives.push_back(each.objective);
  }
  std::sort(objectives.begin(), objectives.end());
  int minima = 0;
  for (size_t i = 0; i < objectives.size(); ++i) {
    minima += i == 0 || objectives[i] > kSame * objectives[i - 1];
  }
  return minima;
}

bool seen_enough(int starts, int minima) {
  const int left = starts - minima - 2;
  return minima > 0 && left > 0 && minima * (starts - 1.0) / left < minima + 0.5;
}

// Starts in batches until enough is seen; returns the number of minima.
int until_seen_enough(const StageSetup& setup, const std::vector<std::vector<double>>& hints,
                      Descents& descents) {
  descents.from_points(hints);
  const int most = std::max(1, setup.starts);
  int minima = 0;
  while (descents.starts() < most) {
    descents.from_next_starts(std::min(kBatch, most - descents.starts()));
    minima = count_minima(descents.found());
    if (seen_enough(static_cast<int>(descents.found().size()), minima)) break;
  }
  return minima;
}

Multistart multistart_of(const Coordinates& coordinates, const std::vector<Minimum>& found,
                         int minima) {
  const auto best = std::min_element(found.begin(), found.end(), lower);
  Multistart out{.best = stage_minimum(coordinates, *best), .minima = minima};
  out.best.starts = static_cast<int>(found.size());
  out.best.reached =
      static_cast<int>(std::count_if(found.begin(), found.end(), [&](const Minimum& each) {
        return each.objective <= kSame * best->objective;
      }));
  return out;
}

struct Sketched {
  Multistart found;
  bool sure = false;  // all rows rank the best points as the sketch does
};

// The starts of fit_adaptively go down over a sketch, and the best minima there are followed to
// minima over all rows: one of each objective, as the rule of fit_adaptively tells minima apart.
Sketched from_sketch(const StageSetup& setup, const std::vector<Observation>& sketch,
                     const std::vector<Observation>& rows,
                     const std::vector<std::vector<double>>& hints, const Coordinates& coordinates,
                     const ParallelFor& parallel_for) {
  constexpr double kEqual = 1 + 1e-5;  // objectives over the sketch of one minimum
  constexpr double kNear = 1.5;  // further above the best, no choice of rows makes it the best
  Descents descents(setup, sketch, coordinates, {.tolerance = 1e-12}, parallel_for);
  const int minima = until_seen_enough(setup, hints, descents);
  std::vector<Minimum> found = descents.found();
  std::sort(found.begin(), found.end(), lower);
  const double best = found[0].objective;
  std::vector<Minimum> followed;
  double last = -1;
  for (const Minimum& each : found) {
    if (!(each.objective <= kNear * best) || followed.size() == kFollowed) break;
    if (each.objective <= kEqual * last) continue;
    followed.push_back(each);
    last = each.objective;
  }
  if (followed.empty()) return {};
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  run_parallel(parallel_for, static_cast<int64_t>(followed.size()), [&](int64_t i) {
    Minimum& minimum = followed[static_cast<size_t>(i)];
    minimum = minimise_residuals(problem, minimum.x, {});
  });
  const auto lowest = std::min_element(followed.begin(), followed.end(), lower);
  Sketched out{.found = multistart_of(coordinates, found, minima),
               .sure = followed[0].objective <= kSame * lowest->objective};
  out.found.best.values = coordinates.values(lowest->x);
  out.found.best.objective = lowest->objective;
  out.found.best.converged = lowest->converged;
  return out;
}

}  // namespace

StageMinimum fit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                       const ParallelFor& parallel_for) {
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  if (setup.free.empty()) return as_it_is(setup, problem, coordinates);
  // On a sketch of the rows first. Where half of the starts or more then agree on the minimum over
  // all rows, that is it; else all of them go down over all rows, or in a large table over the larger
  // sketch.
  const size_t few = std::max<size_t>(64, 7 * setup.free.size());
  if (rows.size() <= kMany * few)
    return from_all_starts(setup, rows, rows, problem, coordinates, parallel_for);
  const StageMinimum quick = from_all_starts(setup, sketch_of(rows, few, setup.seed), rows, problem,
                                             coordinates, parallel_for);
  if (2 * quick.reached >= quick.starts) return quick;
  const StageMinimum sure =
      from_all_starts(setup, middle_sketch(setup, rows), rows, problem, coordinates, parallel_for);
  return sure.objective <= quick.objective ? sure : quick;
}

Multistart fit_adaptively(const StageSetup& setup, const std::vector<Observation>& rows,
                          const std::vector<std::vector<double>>& hints,
                          const ParallelFor& parallel_for) {
  if (setup.free.empty()) return {.best = fit_stage(setup, rows, parallel_for)};
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  if (const std::vector<Observation> sketch = middle_sketch(setup, rows);
      sketch.size() < rows.size()) {
    const Sketched quick = from_sketch(setup, sketch, rows, hints, coordinates, parallel_for);
    if (quick.sure) return quick.found;
  }
  Descents descents(setup, rows, coordinates, {}, parallel_for);
  const int minima = until_seen_enough(setup, hints, descents);
  return multistart_of(coordinates, descents.found(), minima);
}

}  // namespace bitlaw
