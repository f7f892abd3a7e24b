#include "plan/sensitivity.h"

#include <cmath>

namespace bitlaw {
namespace {

using Numbers = std::vector<std::pair<std::string, double>>;

double standard_deviation(const std::vector<std::vector<double>>& draws, size_t i) {
  double mean = 0, squares = 0;
  for (const std::vector<double>& draw : draws) mean += draw[i];
  mean /= static_cast<double>(draws.size());
  for (const std::vector<double>& draw : draws) squares += (draw[i] - mean) * (draw[i] - mean);
  return std::sqrt(squares / static_cast<double>(draws.size() - 1));
}

// Less than this a search cannot tell: of logarithms and bits; of the loss, in nats.
constexpr double kLeastMove = 1e-7, kLeastLoss = 1e-13;

// `factor` times the change from `low` to `high`, by name.
Json change(const Numbers& low, const Numbers& high, double factor) {
  Json out = Json::object();
  for (size_t i = 0; i < low.size() && i < high.size(); ++i) {
    const std::string& name = low[i].first;
    const bool logarithm = name == "N" || name == "D";
    if (!logarithm && name != "loss" && !name.starts_with("P_")) continue;
    const double moved =
        logarithm ? std::log(high[i].second / low[i].second) : high[i].second - low[i].second;
    if (std::isfinite(moved) && std::fabs(moved) > (name == "loss" ? kLeastLoss : kLeastMove)) {
      out[logarithm ? "log_" + name : name] = factor * moved;
    }
  }
  return out;
}

}  // namespace

Json sensitivity(const Constants& constants,
                 const std::function<Numbers(const std::vector<double>&)>& solve) {
  Json out = Json::object();
  std::vector<double> values = constants.values;
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = constants.values[i];
    const double error = constants.draws.size() < 20 ? 0 : standard_deviation(constants.draws, i);
    Json entry{{"value", value}};
    if (error > 0) entry["standard_error"] = error;
    const double step = value != 0 ? 0.005 * std::fabs(value) : 0.5 * error;
    if (step > 0) {
      values[i] = value - step;
      const Numbers low = solve(values);
      values[i] = value + step;
      const Numbers high = solve(values);
      values[i] = value;
      if (value != 0) entry["per_percent"] = change(low, high, 1);
      if (error > 0) entry["per_standard_error"] = change(low, high, 0.5 * error / step);
    }
    out[constants.law->parameters[i].name] = std::move(entry);
  }
  return out;
}

}  // namespace bitlaw
