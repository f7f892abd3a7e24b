#include "plan/continuum.h"

#include <algorithm>
#include <cmath>

#include "base/search.h"
#include "plan/descent.h"

namespace bitlaw {
namespace {

// Points of a scan; far apart where the laws are flat.
constexpr double kScan[] = {1, 1.5, 2, 2.5, 3,  3.5, 4,  4.5, 5,  5.5, 6,
                            7, 8,   9, 10,  11, 12,  14, 16,  20, 24,  32};
constexpr double kScanPost[] = {1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 10, 12, 14};
constexpr double kClose = 0.01;   // nats: a valley that is worse by more is not looked at again
constexpr double kBetter = 1e-9;  // nats: quantizing afterwards for less is not worth it
constexpr double kMostPostBits = kUnquantizedBits - 1e-6;  // the laws' terms end at 16
constexpr double kBitsStep = 5e-3, kSizeStep = 2e-3;       // of differences, in bits and in log N

using Vector = std::array<double, kMostCoordinates>;

// How N is found for given precisions.
enum class Size {
  kSolved,  // by best_split: a closed form, a search, or N is not free
  kFree,    // it is a coordinate like the others
  kMemory,  // as large as the memory allows
};

PlanPoint solved(const PlanTask& task, const PlanPoint& point, double near) {
  return best_split(task, point.precision, point.post_bits, near);
}

double most_in_memory(const PlanTask& task, const PlanPoint& point) {
  return task.problem.limits.most_params_in_memory(point.precision, point.post_bits);
}

bool is_searched(const PlanTask& task, const PlanPoint& point) {
  return task.problem.free_params && task.problem.free_tokens &&
         !split_is_closed(task, point.post_bits);
}

// What is free, as coordinates, from a point.
class Coordinates {
 public:
  Coordinates(const PlanTask& task, const PlanPoint& point, Size size)
      : task_(task), point_(point), size_(size) {
    const PlanProblem& problem = task.problem;
    if (problem.free_tied) add(point.precision.bits.weights, kFewestBits, kMostBits, kBitsStep);
    parts_ = problem.free_bits;
    // N and D given: the budget is for bits alone, and the last part takes what the others leave.
    if (!problem.free_params && !problem.free_tokens && parts_.size() > 1) {
      rest_ = parts_.back();
      parts_.pop_back();
    }
    for (const auto part : parts_) {
      add(point.precision.bits.*part, kFewestBits, kMostBits, kBitsStep);
    }
    has_post_ = problem.free_post && point.post_bits > 0;
    if (has_post_) add(point.post_bits, kFewestBits, kMostPostBits, kBitsStep);
    if (size == Size::kFree) add(std::log(point.params), 0, 700, kSizeStep);
  }

  int count = 0;
  Vector start{};
  std::array<Coordinate, kMostCoordinates> box{};

  PlanPoint at(const Vector& x) const {
    PlanPoint there = point_;
    int i = 0;
    if (task_.problem.free_tied) there.precision.bits = Bits::all(x[i++]);
    for (const auto part : parts_) there.precision.bits.*part = x[i++];
    if (has_post_) there.post_bits = x[i++];
    if (rest_ != nullptr) spend_rest(there);
    if (size_ == Size::kSolved) return solved(task_, there, point_.params);
    const double most = most_in_memory(task_, there);
    const double params = size_ == Size::kMemory ? most : std::min(most, std::exp(x[i]));
    return best_tokens(task_, params, there.precision, there.post_bits);
  }

 private:
  void spend_rest(PlanPoint& there) const {
    const PlanProblem& problem = task_.problem;
    const auto paid = [&](double bits) {
      there.precision.bits.*rest_ = bits;
      return problem.limits.most_params(problem.tokens, there.precision, there.post_bits) >=
             problem.params;
    };
    there.precision.bits.*rest_ = bisect(paid, kFewestBits, kMostBits, 60).low;
  }

  void add(double value, double low, double high, double h) {
    start[count] = value;
    box[count++] = {low, high, h};
  }

  const PlanTask& task_;
  const PlanPoint point_;
  const Size size_;
  std::vector<double Bits::*> parts_;
  double Bits::*rest_ = nullptr;
  bool has_post_ = false;
};

// All coordinates at once. False if that does not end in a minimum.
bool descend_from(const PlanTask& task, PlanPoint& point) {
  const bool searched = is_searched(task, point);
  Size size = !searched                                                  ? Size::kSolved
              : point.params >= (1 - 1e-9) * most_in_memory(task, point) ? Size::kMemory
                                                                         : Size::kFree;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Coordinates free(task, point, size);
    const Valley valley =
        descend([&](const Vector& x) { return free.at(x).loss; }, free.start, free.box, free.count);
    const PlanPoint end = free.at(valley.x);
    // Was it right to hold N at the memory's edge, or not to?
    bool right = true;
    if (size == Size::kMemory) {
      right =
          !(best_tokens(task, 0.999 * end.params, end.precision, end.post_bits).loss < end.loss);
    } else if (size == Size::kFree) {
      right = !(end.params >= (1 - 1e-9) * most_in_memory(task, end));
    }
    if (valley.found && right) {
      point = end;
      return true;
    }
    if (right) return false;
    size = size == Size::kMemory ? Size::kFree : Size::kMemory;
  }
  return false;
}

// One coordinate after another, round and round: slower and less exact, but all it needs of the
// loss is one valley, and it may be infinite or have edges in places.
void search_from(const PlanTask& task, PlanPoint& point, Size size, int rounds) {
  double step = 0.5;
  for (int round = 0; round < rounds; ++round) {
    double moved = 0;
    const int count = Coordinates(task, point, size).count;
    for (int i = 0; i < count; ++i) {
      const Coordinates free(task, point, size);
      Vector x = free.start;
      const auto at = [&](double value) {
        x[i] = value;
        return free.at(x);
      };
      const double best = minimise_near([&](double value) { return at(value).loss; }, free.start[i],
                                        step, free.box[i].low, free.box[i].high, 1e-7)
                              .x;
      const PlanPoint next = at(best);
      if (next.loss <= point.loss) {
        moved = std::max(moved, std::fabs(best - free.start[i]));
        point = next;
      }
    }
    if (moved < 1e-6 || count == 1) return;
    step = std::clamp(moved, 1e-3, 0.5);
  }
}

void refine(const PlanTask& task, PlanPoint& point) {
  if (Coordinates(task, point, Size::kSolved).count == 0) return;  // best_split has said all
  search_from(task, point, Size::kSolved, 2);
  if (!descend_from(task, point)) search_from(task, point, Size::kSolved, 30);
}

// P* by its definition (laws/effective.h), if the problem is of that kind: N, D and one P free, one
// budget with a linear cost, nothing else that limits. NaN if not, and for closed forms, which are
// smooth.
double best_bits_of_a_budget(const PlanTask& task) {
  const PlanProblem& problem = task.problem;
  const Limits& limits = problem.limits;
  const bool asked = task.form == nullptr && problem.free_params && problem.free_tokens &&
                     problem.free_tied && !problem.free_post && problem.post_bits == 0 &&
                     limits.compute.size() == 1 && limits.compute[0].cost.is_linear() &&
                     limits.serving.tokens == 0 && limits.serving.memory_bytes == 0 &&
                     problem.surroundings.unique_tokens == 0;
  return asked ? task.predictor.best_bits(limits.compute[0].flop) : kUnknown;
}

PlanPoint with_bits(const PlanProblem& problem, double bits, double post) {
  PlanPoint point{kUnknown, kUnknown, problem.precision, post};
  if (problem.free_tied) point.precision.bits = Bits::all(bits);
  for (const auto part : problem.free_bits) point.precision.bits.*part = bits;
  return point;
}

// A search may stop beside P* if the loss has an edge, such as at 16 bits.
void take_best_bits(const PlanTask& task, PlanPoint& best) {
  const double bits = best_bits_of_a_budget(task);
  if (!std::isfinite(bits)) return;
  const PlanPoint point = solved(task, with_bits(task.problem, bits, 0), best.params);
  if (point.loss < best.loss - kBetter) best = point;
}

}  // namespace

Optimum best_of_continuum(const PlanTask& task) {
  const PlanProblem& problem = task.problem;
  std::vector<double> scan{problem.precision.bits.weights};
  if (problem.bits_are_free()) scan.assign(std::begin(kScan), std::end(kScan));
  std::vector<double> post{problem.free_post ? 0.0 : problem.post_bits};
  if (problem.free_post) post.insert(post.end(), std::begin(kScanPost), std::end(kScanPost));
  // Quantized afterwards or not: two valleys.
  PlanPoint plain, quantized;
  for (const double post_bits : post) {
    double near = kUnknown;
    for (const double bits : scan) {
      if (problem.free_post && post_bits >= bits) continue;  // changes nothing
      const PlanPoint point = solved(task, with_bits(problem, bits, post_bits), near);
      if (!std::isfinite(point.loss)) continue;
      near = point.params;
      PlanPoint& best = post_bits > 0 ? quantized : plain;
      if (point.loss < best.loss) best = point;
    }
  }
  Optimum out;
  for (PlanPoint* point : {&plain, &quantized}) {
    if (!std::isfinite(point->loss)) continue;
    refine(task, *point);
    out.runners_up.push_back(*point);
    if (point->loss < out.point.loss - kBetter) out.point = *point;
  }
  take_best_bits(task, out.point);
  std::erase_if(out.runners_up,
                [&](const PlanPoint& point) { return point.loss > out.point.loss + kClose; });
  return out;
}

PlanPoint best_of_continuum_near(const PlanTask& task, const Optimum& main) {
  PlanPoint best;
  for (const PlanPoint& start : main.runners_up) {
    PlanPoint point = start;
    if (!descend_from(task, point)) {
      point = solved(task, start, start.params);
      search_from(task, point, is_searched(task, point) ? Size::kFree : Size::kSolved, 10);
    }
    if (point.loss < best.loss - kBetter) best = point;
  }
  take_best_bits(task, best);
  return best;
}

double balanced_bits(const PlanTask& task) {
  const PlanProblem& problem = task.problem;
  if (task.form != nullptr && problem.post_bits == 0) {
    return task.form->balanced_bits(problem.params, problem.tokens, kFewestBits, 4 * kMostBits);
  }
  constexpr double h = 1e-4;
  return find_root(
      [&](double bits) {
        const auto loss = [&](double by_tokens, double by_bits) {
          return task.predictor.loss(problem.params, problem.tokens * std::exp(by_tokens),
                                     {Bits::all(bits * std::exp(by_bits))}, problem.post_bits);
        };
        return (loss(0, h) - loss(0, -h)) - (loss(h, 0) - loss(-h, 0));
      },
      kFewestBits, 4 * kMostBits);
}

}  // namespace bitlaw
