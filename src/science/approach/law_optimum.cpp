#include "approach/law_optimum.h"

#include <cmath>

#include "base/search.h"

namespace bitlaw {

double log_best_params(const Law& law, const double* p, double compute, double ratio,
                       const Observation& like) {
  const double log_product = std::log(compute / ratio);
  const auto loss = [&](double log_params) {
    Observation run = like;
    run.params = std::exp(log_params);
    run.tokens = std::exp(log_product - log_params);
    return predict(law, p, run);
  };
  constexpr int kPlaces = 80;
  constexpr double kFirst = 2.0;  // N and D of at least e^2
  const double last = log_product - kFirst, step = (last - kFirst) / kPlaces;
  int best = -1;
  double least = 0;
  for (int i = 0; i <= kPlaces; ++i) {
    const double value = loss(kFirst + step * i);
    if (std::isfinite(value) && (best < 0 || value < least)) best = i, least = value;
  }
  if (best <= 0 || best == kPlaces) return kUnknown;
  const double at = kFirst + step * best;
  return minimise_between(loss, at - step, at, least, at + step, 1e-9).x;
}

}  // namespace bitlaw
