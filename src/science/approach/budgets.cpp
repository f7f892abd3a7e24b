#include "approach/budgets.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitlaw {

std::vector<std::vector<int>> group_budgets(std::span<const SizedRun> runs, double tolerance) {
  std::vector<int> order(runs.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return runs[a].compute < runs[b].compute; });
  std::vector<std::vector<int>> groups;
  for (const int run : order) {
    // Exactly equal budgets need no search.
    if (!groups.empty() && runs[groups.back()[0]].compute == runs[run].compute)
      groups.back().push_back(run);
    else
      groups.push_back({run});
  }
  const auto span = [&](size_t i) {
    return std::log(runs[groups[i + 1].back()].compute / runs[groups[i].front()].compute);
  };
  while (groups.size() > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < groups.size(); ++i) {
      if (span(i) < span(best)) best = i;
    }
    if (span(best) > std::log1p(tolerance)) break;
    groups[best].insert(groups[best].end(), groups[best + 1].begin(), groups[best + 1].end());
    groups.erase(groups.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
  return groups;
}

}  // namespace bitlaw
