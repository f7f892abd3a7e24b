#include "predict/scatter.h"

#include <algorithm>
#include <cmath>

#include "base/json_fields.h"

namespace bitlaw {

double Scatter::quantile(double share) const {
  const auto count = static_cast<double>(quantiles.size());
  const double place = std::clamp(share * count - 0.5, 0.0, count - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, quantiles.size() - 1);
  return quantiles[below] +
         (place - static_cast<double>(below)) * (quantiles[above] - quantiles[below]);
}

double Scatter::added(const Distance& distance) const {
  double square = 0;
  if (distance.size > 0) square += std::pow(growth * distance.size, 2);
  if (distance.bits > 0) square += std::pow(growth_bits * distance.bits, 2);
  return std::sqrt(square);
}

Json scatter_json(const Scatter& scatter) {
  Json out{{"deviation", json_number(scatter.deviation)},
           {"growth", json_number(scatter.growth)},
           {"growth_bits", json_number(scatter.growth_bits)},
           {"quantiles", scatter.quantiles}};
  if (scatter.floor > 0) {
    out["usual_error"] = json_number(scatter.usual_error);
    out["floor"] = scatter.floor;
  }
  return out;
}

Scatter scatter_from(const Json& document) {
  Scatter out;
  if (!document.is_object()) return out;
  out.deviation = number_in(document, "deviation");
  out.growth = number_in(document, "growth");
  out.growth_bits = number_in(document, "growth_bits");
  const auto size = [&](const char* name) {
    const double value = number_in(document, name);
    return value >= 0 && std::isfinite(value) ? value : 0;
  };
  out.usual_error = size("usual_error"), out.floor = size("floor");
  for (const Json& value : document.at("quantiles")) out.quantiles.push_back(value.get<double>());
  return out;
}

}  // namespace bitlaw
