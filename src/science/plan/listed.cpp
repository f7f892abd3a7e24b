#include "plan/listed.h"

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

constexpr size_t kSolved = 32;  // of a long list, how many are solved in full
constexpr size_t kNearby = 6;   // of those, how many again for constants nearby

bool better(const PlanPoint& a, const PlanPoint& b) {
  return a.loss < b.loss;
}

// Every combination that the lists of a problem allow.
std::vector<PlanPoint> combinations(const PlanProblem& problem) {
  std::vector<Precision> precisions;
  if (!problem.bits_are_free()) {
    precisions.push_back(problem.precision);
  } else if (!problem.formats.empty()) {
    for (const PrecisionChoice& format : problem.formats)
      precisions.push_back({format.bits, &format});
  } else if (problem.free_tied) {
    for (const double bits : problem.available) precisions.push_back({Bits::all(bits)});
  } else {
    precisions.push_back(problem.precision);
    for (const auto part : problem.free_bits) {
      std::vector<Precision> longer;
      for (const Precision& each : precisions) {
        for (const double bits : problem.available) {
          longer.push_back(each);
          longer.back().bits.*part = bits;
        }
      }
      precisions = std::move(longer);
    }
  }
  std::vector<PlanPoint> out;
  for (const Precision& precision : precisions) {
    if (!problem.free_post) {
      out.push_back({kUnknown, kUnknown, precision, problem.post_bits});
      continue;
    }
    for (const double post : problem.post) out.push_back({kUnknown, kUnknown, precision, post});
  }
  return out;
}

void solve(const PlanTask& task, PlanPoint& point, double near) {
  point = best_split(task, point.precision, point.post_bits, near);
}

}  // namespace

Optimum best_of_list(const PlanTask& task) {
  Optimum out;
  std::vector<PlanPoint>& points = out.runners_up;
  points = combinations(task.problem);
  const bool searched = task.problem.free_params && task.problem.free_tokens;
  double near = kUnknown;
  if (searched && points.size() > kSolved) {
    // Solving a long list in full would take long. N found for one precision is nearly right for
    // all others, and to the loss an N that is a little off makes a difference of second order.
    for (PlanPoint& point : points) {
      if (split_is_closed(task, point.post_bits)) {
        solve(task, point, near);
        continue;
      }
      if (!(near > 0)) near = best_split(task, point.precision, point.post_bits).params;
      const double room = task.problem.limits.most_params(1, point.precision, point.post_bits);
      if (near > 0) {
        point = best_tokens(task, std::min(near, 0.5 * room), point.precision, point.post_bits);
      }
    }
    std::stable_sort(points.begin(), points.end(), better);
    points.resize(kSolved);
  }
  for (PlanPoint& point : points) {
    if (split_is_closed(task, point.post_bits) && std::isfinite(point.loss)) continue;
    solve(task, point, near);
    if (std::isfinite(point.loss)) near = point.params;
  }
  std::stable_sort(points.begin(), points.end(), better);
  out.point = points.front();
  return out;
}

PlanPoint best_of_list_near(const PlanTask& task, const Optimum& main) {
  std::vector<PlanPoint> points = main.runners_up;
  if (task.problem.free_params && task.problem.free_tokens) {
    for (PlanPoint& point : points) {
      if (split_is_closed(task, point.post_bits)) {
        solve(task, point, kUnknown);
      } else if (std::isfinite(point.loss)) {  // a feasible N: limits ignore constants
        point.loss =
            task.predictor.loss(point.params, point.tokens, point.precision, point.post_bits);
      }
    }
    std::stable_sort(points.begin(), points.end(), better);
    if (points.size() > kNearby) points.resize(kNearby);
  }
  PlanPoint best;
  for (PlanPoint& point : points) {
    if (!split_is_closed(task, point.post_bits)) solve(task, point, point.params);
    if (better(point, best)) best = point;
  }
  return best;
}

}  // namespace bitlaw
