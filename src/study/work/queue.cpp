#include "work/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/names.h"

namespace bitlaw {

namespace {

struct NamedOrder {
  const char* name;
  JobOrder order;
  const char* help;
};

constexpr NamedOrder kOrders[] = {
    {"longest", JobOrder::kLongest, "least time in all"},
    {"cheapest", JobOrder::kCheapest, "many results early"},
    {"trunks", JobOrder::kTrunks, "what others branch off, then the longest"},
    {"study", JobOrder::kStudy, "as the file has them"},
};

}  // namespace

JobOrder order_named(const std::string& name) {
  std::vector<std::string> known;
  for (const NamedOrder& each : kOrders) {
    if (name == each.name) return each.order;
    known.push_back(each.name);
  }
  throw Error("--order: " + unknown_name("order", name, known));
}

std::string order_help() {
  std::string help = "which jobs start first";
  for (const NamedOrder& each : kOrders)
    help += fmt::format("{} {} ({})", &each == kOrders ? ":" : ",", each.name, each.help);
  return help;
}

std::vector<size_t> order_of(const std::vector<Job>& jobs, JobOrder order) {
  std::vector<bool> is_trunk(jobs.size(), false);
  for (const Job& job : jobs) {
    if (job.trunk >= 0) is_trunk[static_cast<size_t>(job.trunk)] = true;
  }
  const auto before = [&](size_t a, size_t b) {
    switch (order) {
      case JobOrder::kTrunks:
        if (is_trunk[a] != is_trunk[b]) return static_cast<bool>(is_trunk[a]);
        return jobs[a].cost > jobs[b].cost;
      case JobOrder::kLongest:
        return jobs[a].cost > jobs[b].cost;
      case JobOrder::kCheapest:
        return jobs[a].cost < jobs[b].cost;
      case JobOrder::kStudy:
        break;
    }
    return false;
  };
  std::vector<size_t> indices(jobs.size());
  std::iota(indices.begin(), indices.end(), size_t{0});
  std::stable_sort(indices.begin(), indices.end(), before);
  return indices;
}

double planned_duration(const std::vector<Job>& jobs, int parallel) {
  const std::vector<size_t> order = order_of(jobs, JobOrder::kLongest);
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
