#include "approach/budgets.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

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
  // Groups as a list; the joints between neighbours by the span that they would give.
  const size_t count = groups.size();
  std::vector<size_t> next(count), before(count);
  for (size_t i = 0; i < count; ++i) next[i] = i + 1, before[i] = i == 0 ? count : i - 1;
  const auto span = [&](size_t i) {
    return std::log(runs[groups[next[i]].back()].compute / runs[groups[i].front()].compute);
  };
  std::set<std::pair<double, size_t>> joints;
  for (size_t i = 0; i + 1 < count; ++i) joints.emplace(span(i), i);
  while (!joints.empty() && joints.begin()->first <= std::log1p(tolerance)) {
    const size_t low = joints.begin()->second, high = next[low];
    joints.erase(joints.begin());
    if (before[low] < count) joints.erase({span(before[low]), before[low]});
    if (next[high] < count) joints.erase({span(high), high});
    groups[low].insert(groups[low].end(), groups[high].begin(), groups[high].end());
    groups[high].clear();
    next[low] = next[high];
    if (next[low] < count) {
      before[next[low]] = low;
      joints.emplace(span(low), low);
    }
    if (before[low] < count) joints.emplace(span(before[low]), before[low]);
  }
  std::erase_if(groups, [](const std::vector<int>& group) { return group.empty(); });
  return groups;
}

}  // namespace bitlaw
