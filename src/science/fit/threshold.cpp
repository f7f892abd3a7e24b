#include "fit/threshold.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/statistics.h"
#include "fit/multistart.h"
#include "fit/setup.h"
#include "fit/sketch.h"

namespace bitlaw {
namespace {

constexpr double kDeviations = 1.345, kNormalMedian = 0.6744897501960817;
constexpr double kUsual = 1e-3;   // where residuals tell nothing
constexpr double kLeast = 1e-6;   // residuals of exact data are rounding errors
constexpr size_t kSpareRows = 3;  // beyond the constants

double three_digits(double value) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)) - 2);
  return std::stod(fmt::format("{:.3g}", std::round(value / unit) * unit));
}

}  // namespace

double huber_threshold(std::vector<double> residuals, size_t constants) {
  const size_t rows = residuals.size();
  if (rows < constants + kSpareRows) return kUnknown;
  for (double& value : residuals) value = std::fabs(value);
  const double absorbed =
      std::sqrt(static_cast<double>(rows) / static_cast<double>(rows - constants));
  return kDeviations * median(std::move(residuals)) / kNormalMedian * absorbed;
}

double settled_threshold(const StageSetup& stage, const std::vector<Observation>& all,
                         const ParallelFor& parallel_for) {
  constexpr size_t kEnough = 1024;
  constexpr int kFewStarts = 16, kMostRounds = 20;
  StageSetup setup = stage;
  const std::vector<Observation> rows =
      sketch_of(all, std::max(kEnough, 16 * setup.free.size()), setup.seed);
  setup.settings.huber = kUsual;
  setup.starts = std::min(setup.starts, kFewStarts);
  std::vector<double> values =
      setup.free.empty() ? setup.base : fit_adaptively(setup, rows, {}, parallel_for).best.values;
  for (int round = 0; round < kMostRounds; ++round) {
    const double found = huber_threshold(stage_residuals(setup, rows, values), setup.free.size());
    if (!std::isfinite(found)) return kUsual;
    const double next = std::max(found, kLeast), before = setup.settings.huber;
    setup.settings.huber = next;
    if (setup.free.empty() || std::fabs(next / before - 1) < 1e-4) break;
    values = refit_stage(setup, rows, values, {}).values;
  }
  return three_digits(setup.settings.huber);
}

void settle_threshold(const FitOptions& options, const std::vector<Observation>& rows,
                      const ParallelFor& parallel_for, StageSetup& setup) {
  if (options.objective == "huber" && options.huber_delta == 0 && !rows.empty() &&
      !is_of_differences(*setup.law, setup.settings.stage))
    setup.settings.huber = settled_threshold(setup, rows, parallel_for);
}

std::string objective_name(const FitOptions& options, const StageSetup& setup) {
  const double threshold = setup.settings.huber;
  if (is_of_differences(*setup.law, setup.settings.stage)) {
    return std::isfinite(threshold)
               ? fmt::format("huber({:g}, sum) of gaps in standard errors", threshold)
               : "half the sum of squared gaps in standard errors";
  }
  const char* residuals = options.residual == "log" ? "log residuals" : "residuals";
  const char* weights = options.weights == "none" ? "" : ", weighted by standard errors";
  if (options.objective == "huber") {
    const char* origin = options.huber_delta > 0 ? ""
                         : threshold == kUsual   ? ", as the rows are too few to tell a threshold"
                                                 : ", the threshold from the residuals";
    return fmt::format("huber({:g}, sum) of {}{}{}", threshold, residuals, weights, origin);
  }
  if (options.objective == "lad") {
    return fmt::format("{:g} times the sum of absolute {}{}", kLadThreshold, residuals, weights);
  }
  return fmt::format("half the sum of squared {}{}", residuals, weights);
}

}  // namespace bitlaw
