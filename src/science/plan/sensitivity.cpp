#include "plan/sensitivity.h"

#include <cmath>
#include <optional>

namespace bitlaw {
namespace {

double standard_deviation(const std::vector<std::vector<double>>& draws, size_t i) {
  double mean = 0, squares = 0;
  for (const std::vector<double>& draw : draws) mean += draw[i];
  mean /= static_cast<double>(draws.size());
  for (const std::vector<double>& draw : draws) squares += (draw[i] - mean) * (draw[i] - mean);
  return std::sqrt(squares / static_cast<double>(draws.size() - 1));
}

// Smaller changes are below the resolution of a search: of logarithms and bits; of the loss, in
// nats.
constexpr double kLeastMove = 1e-7, kLeastLoss = 1e-13;

// `factor` times the change from `low` to `high`; 0 where one of them has no number, or the search
// cannot tell.
PlanMoves change(const PlanOptimum& low, const PlanOptimum& high, double factor) {
  using Number = std::optional<double>;
  const auto moved = [&](const Number& from, const Number& to, double least = kLeastMove) {
    const double by = from && to ? *to - *from : 0;
    return std::isfinite(by) && std::fabs(by) > least ? factor * by : 0;
  };
  PlanMoves out;
  out.log_params = moved(0, std::log(high.params / low.params));
  out.log_tokens = moved(0, std::log(high.tokens / low.tokens));
  out.bits_weights = moved(low.bits_weights, high.bits_weights);
  out.bits_activations = moved(low.bits_activations, high.bits_activations);
  out.bits_kv = moved(low.bits_kv, high.bits_kv);
  out.post_bits = moved(low.post_bits, high.post_bits);
  out.loss = moved(low.loss, high.loss, kLeastLoss);
  return out;
}

}  // namespace

PlanSensitivities sensitivity(const Constants& constants,
                              const std::function<PlanOptimum(const std::vector<double>&)>& solve) {
  PlanSensitivities out;
  std::vector<double> values = constants.values;
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = constants.values[i];
    const double error = constants.draws.size() < 20 ? 0 : standard_deviation(constants.draws, i);
    PlanSensitivity& entry = out[constants.law->parameters[i].name];
    entry.value = value;
    if (error > 0) entry.standard_error = error;
    const double step = value != 0 ? 0.005 * std::fabs(value) : 0.5 * error;
    if (!(step > 0)) continue;
    values[i] = value - step;
    const PlanOptimum low = solve(values);
    values[i] = value + step;
    const PlanOptimum high = solve(values);
    values[i] = value;
    if (value != 0) entry.per_percent = change(low, high, 1);
    if (error > 0) entry.per_standard_error = change(low, high, 0.5 * error / step);
  }
  return out;
}

}  // namespace bitlaw
