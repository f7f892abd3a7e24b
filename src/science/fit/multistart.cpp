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
      if (lower(each, known->minimum)) known->minimum = std::move(each);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// All starts go down to minima over `first`, all rows or a sketch of them; starts that meet there
// are one from there on, and the best points are followed to minima of `problem`, over all rows.
StageMinimum from_all_starts(const StageSetup& setup, const std::vector<Observation>& first,
                             const ResidualProblem& problem, const Coordinates& coordinates,
                             const ParallelFor& parallel_for) {
  Descents quick(setup, first, coordinates, {.tolerance = 1e-12}, parallel_for);
  quick.from_next_starts(std::max(1, setup.starts));
  std::vector<Meeting> meetings = meet(std::move(quick.found()));
  meetings.resize(std::min(meetings.size(), kFollowed));
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

}  // namespace

StageMinimum fit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                       const ParallelFor& parallel_for) {
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  if (setup.free.empty()) return as_it_is(setup, problem, coordinates);
  // On a sketch of the rows first. Where half of the starts or more then agree on the minimum over
  // all rows, that is it; else all of them go down over all rows, whatever it takes.
  const size_t few = std::max<size_t>(64, 7 * setup.free.size());
  constexpr size_t kMany = 4;
  if (rows.size() <= kMany * few)
    return from_all_starts(setup, rows, problem, coordinates, parallel_for);
  const StageMinimum quick =
      from_all_starts(setup, sketch_of(rows, few, setup.seed), problem, coordinates, parallel_for);
  if (2 * quick.reached >= quick.starts) return quick;
  const StageMinimum sure = from_all_starts(setup, rows, problem, coordinates, parallel_for);
  return sure.objective <= quick.objective ? sure : quick;
}

Multistart fit_adaptively(const StageSetup& setup, const std::vector<Observation>& rows,
                          const std::vector<std::vector<double>>& hints,
                          const ParallelFor& parallel_for) {
  if (setup.free.empty()) return {.best = fit_stage(setup, rows, parallel_for)};
  Multistart out;
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  Descents descents(setup, rows, coordinates, {}, parallel_for);
  const std::vector<Minimum>& found = descents.found();
  descents.from_points(hints);
  const int most = std::max(1, setup.starts);
  while (descents.starts() < most) {
    descents.from_next_starts(std::min(kBatch, most - descents.starts()));
    out.minima = count_minima(found);
    if (seen_enough(static_cast<int>(found.size()), out.minima)) break;
  }
  const auto best = std::min_element(found.begin(), found.end(), lower);
  out.best = stage_minimum(coordinates, *best);
  out.best.starts = static_cast<int>(found.size());
  out.best.reached =
      static_cast<int>(std::count_if(found.begin(), found.end(), [&](const Minimum& each) {
        return each.objective <= kSame * best->objective;
      }));
  return out;
}

}  // namespace bitlaw
