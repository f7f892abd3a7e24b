#include "design/selection.h"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/statistics.h"

namespace bitlaw {
namespace {

// log spread(V) - log spread(V') without making V'.
double gain_of(const Matrix& covariance, const Vector& c, const Experiment& experiment) {
  const Matrix GV = experiment.rows * covariance;
  const Matrix inner = Matrix::Identity(GV.rows(), GV.rows()) + GV * experiment.rows.transpose();
  const Eigen::LLT<Matrix> factor(inner);
  if (factor.info() != Eigen::Success) return 0;
  if (c.size() == 0) {  // det(V') = det(V) / det(inner)
    double log_determinant = 0;
    for (long i = 0; i < inner.rows(); ++i) {
      log_determinant += 2 * std::log(factor.matrixL()(i, i));
    }
    return log_determinant / (2 * static_cast<double>(covariance.rows()));
  }
  const double before = c.dot(covariance * c);
  const Vector along = GV * c;
  const double after = before - along.dot(factor.solve(along));
  return after > 0 && before > 0 ? 0.5 * std::log(before / after) : 0;
}

Matrix covariance_of(Matrix covariance, const std::vector<Experiment>& experiments,
                     const std::vector<int>& chosen) {
  for (const int i : chosen) {
    covariance = covariance_after(covariance, experiments[static_cast<size_t>(i)]);
  }
  return covariance;
}

double cost_of(const std::vector<Experiment>& experiments, const std::vector<int>& chosen) {
  double cost = 0;
  for (const int i : chosen) cost += experiments[static_cast<size_t>(i)].cost;
  return cost;
}

// The experiment of the greatest gain over cost^exponent that costs no more than `budget`; -1 where
// none gains.
int best_of(const Matrix& covariance, const Vector& c, const std::vector<Experiment>& experiments,
            double budget, double exponent) {
  int best = -1;
  double most = 1e-12;
  for (size_t i = 0; i < experiments.size(); ++i) {
    if (experiments[i].cost > budget) continue;
    const double gain =
        gain_of(covariance, c, experiments[i]) / std::pow(experiments[i].cost / budget, exponent);
    if (gain > most) most = gain, best = static_cast<int>(i);
  }
  return best;
}

std::vector<int> greedy(Matrix covariance, const Vector& c,
                        const std::vector<Experiment>& experiments, double budget, int count,
                        double exponent) {
  std::vector<int> chosen;
  while (static_cast<int>(chosen.size()) < count && budget > 0) {
    const int next = best_of(covariance, c, experiments, budget, exponent);
    if (next < 0) break;
    chosen.push_back(next);
    covariance = covariance_after(covariance, experiments[static_cast<size_t>(next)]);
    budget -= experiments[static_cast<size_t>(next)].cost;
  }
  return chosen;
}

// Each chosen experiment in turn is replaced by the best one that fits.
void exchange(const Matrix& covariance, const Vector& c, const std::vector<Experiment>& experiments,
              double budget, std::vector<int>& chosen) {
  constexpr int kSweeps = 10;
  double spread = spread_of(covariance_of(covariance, experiments, chosen), c);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    bool improved = false;
    for (size_t place = 0; place < chosen.size(); ++place) {
      std::vector<int> others = chosen;
      others.erase(others.begin() + static_cast<long>(place));
      const Matrix without = covariance_of(covariance, experiments, others);
      const double left = budget - cost_of(experiments, others);
      const int better = best_of(without, c, experiments, left, 0);
      if (better < 0) continue;
      const double changed =
          spread_of(covariance_after(without, experiments[static_cast<size_t>(better)]), c);
      if (changed >= spread * (1 - 1e-9)) continue;
      chosen[place] = better;
      spread = changed;
      improved = true;
    }
    if (!improved) break;
  }
}

}  // namespace

double spread_of(const Matrix& covariance, const Vector& c) {
  if (c.size() > 0) return std::sqrt(c.dot(covariance * c));
  const Eigen::LDLT<Matrix> factor(covariance);
  double log_determinant = 0;
  for (long i = 0; i < covariance.rows(); ++i) log_determinant += std::log(factor.vectorD()[i]);
  return std::exp(log_determinant / (2 * static_cast<double>(covariance.rows())));
}

Matrix covariance_after(const Matrix& covariance, const Experiment& experiment) {
  const Matrix GV = experiment.rows * covariance;
  const Matrix inner = Matrix::Identity(GV.rows(), GV.rows()) + GV * experiment.rows.transpose();
  const Matrix out = covariance - GV.transpose() * inner.llt().solve(GV);
  return 0.5 * (out + out.transpose());
}

Selection select_experiments(const Matrix& covariance, const Vector& c,
                             const std::vector<Experiment>& experiments, double budget, int count) {
  std::vector<int> best;
  double least = std::numeric_limits<double>::infinity();
  for (const double exponent : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const std::vector<int> chosen = greedy(covariance, c, experiments, budget, count, exponent);
    const double spread = spread_of(covariance_of(covariance, experiments, chosen), c);
    if (spread < least) least = spread, best = chosen;
  }
  exchange(covariance, c, experiments, budget, best);

  Selection out;
  out.cost = cost_of(experiments, best);
  Matrix now = covariance;
  while (!best.empty()) {  // in the order to make them
    const auto worth = [&](int i) {
      const Experiment& experiment = experiments[static_cast<size_t>(i)];
      return gain_of(now, c, experiment) / experiment.cost;
    };
    const auto next = std::max_element(best.begin(), best.end(),
                                       [&](int a, int b) { return worth(a) < worth(b); });
    now = covariance_after(now, experiments[static_cast<size_t>(*next)]);
    out.chosen.push_back(*next);
    out.spreads.push_back(spread_of(now, c));
    best.erase(next);
  }
  return out;
}

double spread_of_random_choices(const Matrix& covariance, const Vector& c,
                                const std::vector<Experiment>& experiments, double budget,
                                int64_t count, uint64_t seed) {
  constexpr uint64_t kChoices = 101;
  std::vector<double> spreads;
  for (uint64_t choice = 0; choice < kChoices; ++choice) {
    Matrix now = covariance;
    double left = budget;
    for (int64_t i = 0; i < count; ++i) {
      std::vector<size_t> affordable;
      for (size_t j = 0; j < experiments.size(); ++j) {
        if (experiments[j].cost <= left) affordable.push_back(j);
      }
      if (affordable.empty()) break;
      const Experiment& experiment = experiments[affordable[random_below(
          seed, 1000 + choice, static_cast<uint64_t>(i), affordable.size())]];
      now = covariance_after(now, experiment);
      left -= experiment.cost;
    }
    spreads.push_back(spread_of(now, c));
  }
  return upper_median(std::move(spreads));
}

}  // namespace bitlaw
