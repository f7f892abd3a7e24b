#include "sweep/queue.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace bitlaw {

std::vector<size_t> longest_first(const std::vector<Job>& jobs) {
  std::vector<size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return jobs[a].cost > jobs[b].cost; });
  return order;
}

double planned_duration(const std::vector<Job>& jobs, int parallel) {
  const std::vector<size_t> order = longest_first(jobs);
  constexpr double kNotStarted = std::numeric_limits<double>::infinity();
  std::vector<double> end(jobs.size(), kNotStarted);  // of each job
  std::vector<double> running;                        // ends of those that run
  double now = 0;
  while (true) {
    for (const size_t i : order) {
      if (static_cast<int>(running.size()) >= parallel) break;
      const bool waits = jobs[i].after >= 0 && end[static_cast<size_t>(jobs[i].after)] > now;
      if (end[i] != kNotStarted || waits) continue;
      end[i] = now + jobs[i].cost;
      running.push_back(end[i]);
    }
    if (running.empty()) return now;
    now = *std::min_element(running.begin(), running.end());
    std::erase_if(running, [&](double each) { return each <= now; });
  }
}

}  // namespace bitlaw
