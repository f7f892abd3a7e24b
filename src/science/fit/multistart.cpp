#include "fit/multistart.h"

#include <algorithm>
#include <cmath>

#include "fit/starts.h"

namespace bitlaw {
namespace {

constexpr int kBatch = 16;
constexpr double kSame = 1.01;  // objectives this near are one minimum

int count_minima(std::vector<double> objectives) {
  std::erase_if(objectives, [](double value) { return !std::isfinite(value); });
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

Multistart fit_adaptively(const StageSetup& setup, const std::vector<Observation>& rows,
                          const std::vector<std::vector<double>>& hints,
                          const ParallelFor& parallel_for) {
  Multistart out;
  if (setup.free.empty()) {
    out.best = fit_stage(setup, rows, parallel_for);
    return out;
  }
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  std::vector<Minimum> found;
  const auto follow = [&](size_t count, const std::function<Vector(int64_t)>& start) {
    const size_t before = found.size();
    found.resize(before + count);
    run_parallel(parallel_for, static_cast<int64_t>(count), [&](int64_t i) {
      found[before + static_cast<size_t>(i)] = minimise_residuals(problem, start(i), {});
    });
  };

  follow(hints.size(), [&](int64_t i) { return coordinates.from_values(hints[i]); });
  std::vector<double> objectives;
  const int most = std::max(1, setup.starts);
  for (int done = 0; done < most;) {
    const int batch = std::min(kBatch, most - done);
    follow(batch, [&](int64_t i) {
      return starting_point(*setup.law, rows, coordinates, setup.settings,
                            done + static_cast<int>(i), setup.seed);
    });
    done += batch;
    objectives.clear();
    for (const Minimum& each : found) objectives.push_back(each.objective);
    out.minima = count_minima(objectives);
    if (seen_enough(static_cast<int>(found.size()), out.minima)) break;
  }

  const auto best = std::min_element(
      found.begin(), found.end(),
      [](const Minimum& a, const Minimum& b) { return a.objective < b.objective; });
  out.best = {.values = coordinates.values(best->x),
              .objective = best->objective,
              .converged = best->converged,
              .starts = static_cast<int>(found.size()),
              .reached = static_cast<int>(std::count_if(
                  objectives.begin(), objectives.end(),
                  [&](double objective) { return objective <= kSame * best->objective; }))};
  return out;
}

}  // namespace bitlaw
