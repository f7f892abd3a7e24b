#include "fleet/halving.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitlaw {

std::vector<size_t> best_of(const std::vector<double>& losses, size_t count) {
  std::vector<size_t> order(losses.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return losses[a] < losses[b]; });
  std::erase_if(order, [&](size_t i) { return !std::isfinite(losses[i]); });
  if (order.size() > count) order.resize(count);
  return order;
}

std::vector<bool> better_half(const std::vector<double>& losses) {
  constexpr size_t kLeast = 8;
  std::vector<bool> goes_on(losses.size(), false);
  for (const size_t i : best_of(losses, std::max(kLeast, (losses.size() + 1) / 2)))
    goes_on[i] = true;
  return goes_on;
}

}  // namespace bitlaw
