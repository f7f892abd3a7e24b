#include "approach/optima.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "fit/bootstrap.h"

namespace bitlaw {
namespace {

Estimate estimate(const OptimaDraw& best, const std::vector<OptimaDraw>& draws, double level,
                  bool is_log, const std::function<double(const OptimaDraw&)>& value) {
  std::vector<double> sample;
  sample.reserve(draws.size());
  for (const OptimaDraw& draw : draws) sample.push_back(value(draw));
  const Interval found = percentile_interval(std::move(sample), level);
  Estimate out{value(best), found.low, found.high};
  if (is_log) out = {std::exp(out.value), std::exp(out.low), std::exp(out.high)};
  return out;
}

}  // namespace

void summarise(const OptimaDraw& best, const std::vector<OptimaDraw>& draws, double level,
               Optima& optima) {
  optima.a = estimate(best, draws, level, false, [](const OptimaDraw& draw) { return draw.a; });
  optima.b = estimate(best, draws, level, false, [](const OptimaDraw& draw) { return draw.b; });
  for (size_t i = 0; i < optima.at.size(); ++i) {
    OptimumAt& at = optima.at[i];
    at.params = estimate(best, draws, level, true,
                         [i](const OptimaDraw& draw) { return draw.log_params[i]; });
    at.tokens = estimate(best, draws, level, true,
                         [i](const OptimaDraw& draw) { return draw.log_tokens[i]; });
    at.beyond =
        std::max({1.0, at.compute / optima.most_compute, optima.least_compute / at.compute});
  }
}

std::vector<OptimumAt> budgets_asked(const ApproachOptions& options, double most_compute) {
  std::vector<OptimumAt> out;
  if (options.compute.empty()) {
    for (const double factor : {1.0, 10.0}) out.push_back({.compute = factor * most_compute});
  }
  for (const double compute : options.compute) out.push_back({.compute = compute});
  return out;
}

}  // namespace bitlaw
