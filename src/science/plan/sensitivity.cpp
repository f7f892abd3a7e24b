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

// The change from `low` to `high`; 0 where one of them has no number, or the search cannot tell.
PlanMoves change(const PlanOptimum& low, const PlanOptimum& high) {
  using Number = std::optional<double>;
  const auto moved = [&](const Number& from, const Number& to, double least = kLeastMove) {
    const double by = from && to ? *to - *from : 0;
    return std::isfinite(by) && std::fabs(by) > least ? by : 0;
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

bool any(PlanMoves moves) {
  bool found = false;
  auto look = [&found](const char*, double by) { found |= by != 0; };
  moves.visit(look);
  return found;
}

// One of an answer's numbers as its moves are given; NaN if there is none.
struct Moving {
  double PlanMoves::*move;
  double (*of)(const PlanOptimum&);
  double least;
};
constexpr Moving kMoving[] = {
    {&PlanMoves::log_params, [](const PlanOptimum& o) { return std::log(o.params); }, kLeastMove},
    {&PlanMoves::log_tokens, [](const PlanOptimum& o) { return std::log(o.tokens); }, kLeastMove},
    {&PlanMoves::bits_weights, [](const PlanOptimum& o) { return o.bits_weights; }, kLeastMove},
    {&PlanMoves::bits_activations, [](const PlanOptimum& o) { return o.bits_activations; },
     kLeastMove},
    {&PlanMoves::bits_kv, [](const PlanOptimum& o) { return o.bits_kv; }, kLeastMove},
    {&PlanMoves::post_bits, [](const PlanOptimum& o) { return o.post_bits.value_or(kUnknown); },
     kLeastMove},
    {&PlanMoves::loss, [](const PlanOptimum& o) { return o.loss.value_or(kUnknown); }, kLeastLoss}};

// The slope of the drawn answers over the constant, times its standard deviation.
PlanMoves moves_along(const std::vector<std::vector<double>>& draws, size_t constant, double error,
                      const std::vector<PlanOptimum>& drawn) {
  PlanMoves out;
  for (const Moving& moving : kMoving) {
    std::vector<double> x, y;
    for (size_t k = 0; k < drawn.size(); ++k) {
      const double value = moving.of(drawn[k]);
      if (!std::isfinite(value)) continue;
      x.push_back(draws[k][constant]), y.push_back(value);
    }
    if (x.size() < 20) continue;
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
    const auto count = static_cast<double>(x.size());
    for (size_t k = 0; k < x.size(); ++k) mean_x += x[k] / count, mean_y += y[k] / count;
    for (size_t k = 0; k < x.size(); ++k) {
      xx += (x[k] - mean_x) * (x[k] - mean_x);
      xy += (x[k] - mean_x) * (y[k] - mean_y);
    }
    const double by = xx > 0 ? error * xy / xx : 0;
    if (std::fabs(by) > moving.least) out.*moving.move = by;
  }
  return out;
}

}  // namespace

PlanSensitivities sensitivity(const Constants& constants,
                              const std::function<PlanOptimum(const std::vector<double>&)>& solve,
                              const std::vector<PlanOptimum>& drawn) {
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
    const PlanMoves moves = change(low, high);
    if (value != 0) entry.per_percent = moves;
    // What the answer does not depend on moves along with the draws by chance alone.
    if (error > 0 && drawn.size() == constants.draws.size()) {
      entry.per_standard_error =
          any(moves) ? moves_along(constants.draws, i, error, drawn) : PlanMoves{};
    }
  }
  return out;
}

}  // namespace bitlaw
