#include "tune/rule.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

// A 90 % interval is so many standard errors wide, to each side.
constexpr double kNinety = 1.6448536269514722;

// The best value of an axis on a log scale, with its standard error.
struct LogBest {
  double N = 0, D = 0, log_value = 0, error = 0;
};

const AxisOptimum* optimum_of(const TunedFleet& tuned, const std::string& key) {
  for (size_t k = 0; k < tuned.surface.axes.size(); ++k) {
    const AxisOptimum& optimum = tuned.surface.axes[k];
    if (optimum.key == key && tuned.fleet.axes[k].log && optimum.missing.empty()) return &optimum;
  }
  return nullptr;
}

double log_error(const TuneEstimate& estimate) {
  constexpr double kLeast = 0.01;  // no optimum is known better than to 1 %
  return std::max(kLeast, std::log(estimate.high / estimate.low) / (2 * kNinety));
}

bool varies(const std::vector<LogBest>& bests, double LogBest::*field) {
  const auto [low, high] =
      std::minmax_element(bests.begin(), bests.end(),
                          [&](const LogBest& a, const LogBest& b) { return a.*field < b.*field; });
  return (*high).*field > 1.05 * ((*low).*field);
}

double mean_log(const std::vector<LogBest>& bests, double LogBest::*field) {
  double sum = 0;
  for (const LogBest& best : bests) sum += std::log(best.*field);
  return sum / static_cast<double>(bests.size());
}

AxisRule rule_of(const std::string& key, const std::vector<LogBest>& bests) {
  AxisRule rule{.key = key, .fleets = std::ssize(bests)};
  const bool by_N = bests.size() > 1 && varies(bests, &LogBest::N);
  const bool by_D = bests.size() > 1 && varies(bests, &LogBest::D);
  const Eigen::Index terms = 1 + (by_N ? 1 : 0) + (by_D ? 1 : 0);
  if (terms == 1 || std::ssize(bests) < terms) {
    rule.missing = fmt::format("{} {} a best value; a rule needs more sizes or token counts",
                               bests.size(), bests.size() == 1 ? "fleet has" : "fleets have");
    return rule;
  }
  const double N0 = mean_log(bests, &LogBest::N), D0 = mean_log(bests, &LogBest::D);
  Eigen::MatrixXd design(std::ssize(bests), terms);
  Eigen::VectorXd values(std::ssize(bests));
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    const LogBest& best = bests[static_cast<size_t>(i)];
    Eigen::Index column = 0;
    design(i, column++) = 1;
    if (by_N) design(i, column++) = std::log(best.N) - N0;
    if (by_D) design(i, column++) = std::log(best.D) - D0;
    values[i] = best.log_value;
    design.row(i) /= best.error;
    values[i] /= best.error;
  }
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> solver(design);
  if (solver.rank() < terms) {
    rule.missing = "N and D vary together; a rule needs several token counts at one size";
    return rule;
  }
  const Eigen::VectorXd fit = solver.solve(values);
  Eigen::MatrixXd covariance = (design.transpose() * design).inverse();
  // Where the optima scatter by more than their errors, the errors grow.
  const Eigen::Index freedom = values.size() - terms;
  if (freedom > 0) {
    covariance *=
        std::max(1.0, (values - design * fit).squaredNorm() / static_cast<double>(freedom));
  }
  const auto estimate = [&](Eigen::Index k) {
    const double half = kNinety * std::sqrt(covariance(k, k));
    return TuneEstimate{fit[k], fit[k] - half, fit[k] + half};
  };
  rule.N0 = std::exp(N0);
  rule.D0 = std::exp(D0);
  const TuneEstimate middle = estimate(0);
  rule.at_middle = {std::exp(middle.value), std::exp(middle.low), std::exp(middle.high)};
  if (by_N) rule.of_N = estimate(1);
  if (by_D) rule.of_D = estimate(by_N ? 2 : 1);
  return rule;
}

}  // namespace

std::vector<AxisRule> tuning_rules(const std::vector<TunedFleet>& fleets,
                                   const std::string& precision) {
  std::vector<AxisRule> rules;
  std::vector<std::string> keys;
  for (const TunedFleet& tuned : fleets) {
    if (tuned.fleet.precision != precision) continue;
    for (const TuneAxis& axis : tuned.fleet.axes) {
      if (axis.log && std::find(keys.begin(), keys.end(), axis.key) == keys.end())
        keys.push_back(axis.key);
    }
  }
  for (const std::string& key : keys) {
    std::vector<LogBest> bests;
    for (const TunedFleet& tuned : fleets) {
      const AxisOptimum* optimum =
          tuned.fleet.precision == precision ? optimum_of(tuned, key) : nullptr;
      if (optimum == nullptr) continue;
      bests.push_back(
          {tuned.fleet.N, tuned.fleet.D, std::log(optimum->best.value), log_error(optimum->best)});
    }
    rules.push_back(rule_of(key, bests));
  }
  return rules;
}

std::vector<BitsShift> bits_shifts(const std::vector<TunedFleet>& fleets,
                                   const std::string& full_precision) {
  std::vector<BitsShift> shifts;
  for (const TunedFleet& low : fleets) {
    if (low.fleet.precision == full_precision) continue;
    for (const TunedFleet& full : fleets) {
      if (full.fleet.precision != full_precision || full.fleet.N != low.fleet.N ||
          full.fleet.D != low.fleet.D)
        continue;
      for (const TuneAxis& axis : low.fleet.axes) {
        const AxisOptimum *here = optimum_of(low, axis.key), *there = optimum_of(full, axis.key);
        if (here == nullptr || there == nullptr) continue;
        const double shift = std::log(here->best.value / there->best.value);
        const double half = kNinety * std::hypot(log_error(here->best), log_error(there->best));
        shifts.push_back({axis.key,
                          low.fleet.precision,
                          low.fleet.N,
                          low.fleet.D,
                          {std::exp(shift), std::exp(shift - half), std::exp(shift + half)}});
      }
    }
  }
  return shifts;
}

}  // namespace bitlaw
