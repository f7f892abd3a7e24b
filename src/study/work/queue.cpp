#include "work/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

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
    {"informative", JobOrder::kInformative, "what tells most about the law per FLOP"},
};

}  // namespace

const char* name_of(JobOrder order) {
  for (const NamedOrder& each : kOrders) {
    if (each.order == order) return each.name;
  }
  throw Error("an order without a name");
}

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
      case JobOrder::kInformative:
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

std::vector<size_t> with_first(const std::vector<Job>& jobs, const std::vector<size_t>& first,
                               const std::vector<size_t>& order) {
  std::vector<size_t> out;
  std::vector<bool> taken(jobs.size(), false);
  for (const size_t job : first) {
    std::vector<size_t> chain;  // what the job waits for, last first
    for (auto i = static_cast<int>(job); i >= 0 && !taken[static_cast<size_t>(i)];) {
      const Job& each = jobs[static_cast<size_t>(i)];
      chain.push_back(static_cast<size_t>(i));
      taken[chain.back()] = true;
      i = each.after >= 0 ? each.after : each.trunk;
    }
    out.insert(out.end(), chain.rbegin(), chain.rend());
  }
  for (const size_t job : order) {
    if (!taken[job]) out.push_back(job);
  }
  return out;
}

double planned_duration(const std::vector<Job>& jobs, int parallel) {
  const std::vector<size_t> order = order_of(jobs, JobOrder::kLongest);
  std::vector<size_t> rank(jobs.size());
  for (size_t place = 0; place < order.size(); ++place) rank[order[place]] = place;
  std::vector<std::vector<size_t>> waiting(jobs.size());  // for each job, by rank
  std::set<size_t> ready;                                 // ranks
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].after < 0)
      ready.insert(rank[i]);
    else
      waiting[static_cast<size_t>(jobs[i].after)].push_back(rank[i]);
  }
  std::set<std::pair<double, size_t>> running;  // by their end
  double now = 0;
  while (true) {
    while (!ready.empty() && std::ssize(running) < parallel) {
      const size_t job = order[*ready.begin()];
      ready.erase(ready.begin());
      running.emplace(now + jobs[job].cost, job);
    }
    if (running.empty()) return now;
    now = running.begin()->first;
    while (!running.empty() && running.begin()->first <= now) {
      const size_t ended = running.extract(running.begin()).value().second;
      ready.insert(waiting[ended].begin(), waiting[ended].end());
    }
  }
}

}  // namespace bitlaw
