// Best plans against brute force, and the searched ones against the closed forms.
#include "plan/optimum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace bitlaw {
namespace {

// A problem from a request, on published constants.
struct Case {
  explicit Case(const PlanRequest& request, const char* set = "")
      : law(*find_law(request.law)),
        values(find_constants(law, set)->values.begin(), find_constants(law, set)->values.end()),
        form(law, values) {
    Constants constants;
    EXPECT_EQ(read_constants(request.law, set, nullptr, constants), "");
    EXPECT_EQ(read_problem(request, constants, nullptr, problem), "");
  }
  // Without closed forms where `searched`.
  PlanTask task(const Predictor& predictor, bool searched) const {
    return {problem, predictor, searched ? nullptr : &form};
  }
  Optimum best(bool searched, int64_t* evaluations = nullptr) const {
    const Predictor predictor(law, values.data(), problem.surroundings);
    const Optimum out = best_plan(task(predictor, searched));
    if (evaluations != nullptr) *evaluations = predictor.evaluations();
    return out;
  }

  const Law& law;
  std::vector<double> values;
  EffectiveForm form;
  PlanProblem problem;
};

PlanRequest with(double compute, std::vector<std::string> free = {"N", "D", "P"}) {
  PlanRequest request;
  request.compute = compute;
  request.free = std::move(free);
  return request;
}

// Requests of every kind that the limits know.
std::vector<PlanRequest> kinds() {
  std::vector<PlanRequest> all;
  const auto add = [&](PlanRequest request, auto change) {
    change(request);
    all.push_back(request);
  };
  add(with(1e21), [](auto&) {});
  add(with(1e21), [](auto& r) { r.tied = false; });
  add(with(1e21), [](auto& r) { r.memory_bytes = 1e9; });
  add(with(1e21), [](auto& r) { r.memory_bytes = 1e9, r.context = 8192, r.batch = 8; });
  add(with(1e21), [](auto& r) { r.tied = false, r.memory_bytes = 1e9; });
  add(with(1e21), [](auto& r) { r.serve_tokens = 1e12; });
  add(with(1e21), [](auto& r) { r.serve_tokens = 1e12, r.memory_bytes = 3e8; });
  add(with(1e21), [](auto& r) { r.serve_tokens = 1e11, r.tied = false; });
  add(with(1e20), [](auto& r) { r.post_bits = 3; });
  add(with(1e20), [](auto& r) { r.post_bits = 4, r.memory_bytes = 5e8; });
  add(with(1e20, {"N", "D", "P_post"}), [](auto& r) { r.memory_bytes = 1e9; });
  add(with(1e20, {"N", "D", "P_post"}), [](auto& r) { r.serve_tokens = 1e12; });
  add(with(1e22, {"N", "D"}), [](auto& r) { r.bits = {8}, r.serve_tokens = 1e13; });
  add(with(1e21, {"D", "P"}), [](auto& r) { r.params = 1e9; });
  add(with(1e21, {"N", "P"}), [](auto& r) { r.tokens = 1e11, r.serve_tokens = 1e11; });
  add(with(1e21), [](auto& r) { r.integer_bits = true, r.serve_tokens = 1e12; });
  add(with(1e21), [](auto& r) { r.integer_bits = true, r.tied = false; });
  add(with(1e21), [](auto& r) {
    r.tied = false, r.available_bits = {4, 8, 16}, r.serve_tokens = 1e12;
  });
  add(with(6.0 / 16 * 1e19 * 9, {"P_w", "P_a", "P_kv"}),
      [](auto& r) { r.params = 1e9, r.tokens = 1e10; });
  add(with(0), [](auto& r) { r.gpu_hours = 1e4, r.device = "b200"; });
  add(with(1e21), [](auto& r) { r.gpu_hours = 1e3, r.device = "h100", r.serve_tokens = 1e12; });
  add(with(0, {"N", "D", "P_post"}), [](auto& r) { r.memory_bytes = 1e9; });
  return all;
}

struct Draws {
  uint64_t seed, index = 0;
  double between(double low, double high) {
    return low + (high - low) * random_uniform(seed, 0, index++);
  }
};

// A point of the problem's own kind, near `best` or anywhere, that spends what the limits allow or
// less; with infinite loss where it is not allowed.
PlanPoint some_point(const Case& each, const Predictor& predictor, const PlanPoint& best,
                     Draws& draws) {
  const PlanProblem& problem = each.problem;
  const double width = std::pow(10.0, draws.between(-4, 0.3));
  PlanPoint point = best;
  const auto bits = [&](double near) {
    if (!problem.available.empty()) {
      const auto count = static_cast<double>(problem.available.size());
      return problem.available[static_cast<size_t>(count * draws.between(0, 1))];
    }
    return std::clamp(near + draws.between(-4, 4) * width, kFewestBits, kMostBits);
  };
  if (problem.free_tied) point.precision.bits = Bits::all(bits(best.precision.bits.weights));
  for (const auto part : problem.free_bits) {
    point.precision.bits.*part = bits(best.precision.bits.*part);
  }
  if (problem.free_post) {
    point.post_bits = draws.between(0, 1) < 0.1 ? 0 : bits(best.post_bits);
  }
  if (problem.free_params) point.params *= std::exp(draws.between(-2, 2) * width);
  if (problem.limits.most_params_in_memory(point.precision, point.post_bits) < point.params) {
    point.params = problem.free_params
                       ? problem.limits.most_params_in_memory(point.precision, point.post_bits)
                       : kUnknown;
  }
  const double most = problem.limits.most_tokens(point.params, point.precision, point.post_bits);
  if (!problem.free_tokens) {
    if (!(most >= point.tokens)) return {};
  } else if (std::isinf(most)) {
    point.tokens *= std::exp(draws.between(-2, 2) * width);
  } else {
    point.tokens = most * std::exp(-draws.between(0, 1) * width);
    if (draws.between(0, 1) < 0.7) point.tokens = most;
  }
  if (!(point.tokens >= 1)) return {};
  point.loss = predictor.loss(point.params, point.tokens, point.precision, point.post_bits);
  return point;
}

TEST(Optimum, NothingNearOrFarIsBetter) {
  int number = 0;
  for (const PlanRequest& request : kinds()) {
    const Case each(request);
    const Optimum best = each.best(false);
    ASSERT_TRUE(std::isfinite(best.point.loss)) << number;
    const Predictor predictor(each.law, each.values.data(), each.problem.surroundings);
    Draws draws{static_cast<uint64_t>(++number)};
    double least = INFINITY;
    for (int i = 0; i < 20000; ++i) {
      const PlanPoint point = some_point(each, predictor, best.point, draws);
      if (std::isfinite(point.loss)) least = std::min(least, point.loss);
    }
    // Sums of three terms near 3 round to 1e-15.
    EXPECT_GE(least - best.point.loss, -2e-15) << "request " << number;
  }
}

TEST(Optimum, SearchesFindWhatClosedFormsSay) {
  int number = 0;
  for (const PlanRequest& request : kinds()) {
    ++number;
    const Case each(request);
    const PlanPoint closed = each.best(false).point, searched = each.best(true).point;
    EXPECT_NEAR(searched.loss, closed.loss, 1e-13) << "request " << number;
    // Positions are found from differences with steps of 1e-2 and 2e-3: their rounding, 1e-15 over
    // the step, over a curvature of 1e-3 nats or more, leaves 1e-9, their fourth order about as much.
    EXPECT_NEAR(std::log(searched.params / closed.params), 0, 1e-6) << "request " << number;
    EXPECT_NEAR(searched.precision.bits.weights, closed.precision.bits.weights, 1e-5)
        << "request " << number;
    EXPECT_NEAR(searched.post_bits, closed.post_bits, 1e-5) << "request " << number;
  }
}

// What a planner costs is evaluations of the law; a microsecond each, at most, makes these numbers
// milliseconds.
TEST(Optimum, TakesFewEvaluations) {
  int number = 0;
  for (const PlanRequest& request : kinds()) {
    ++number;
    const Case each(request);
    int64_t whole = 0;
    const Optimum main = each.best(true, &whole);
    EXPECT_LT(whole, 20000) << "request " << number;
    // Nearby constants: another 1 % of alpha.
    std::vector<double> values = each.values;
    values[static_cast<size_t>(parameter_index(each.law, "alpha"))] *= 1.01;
    const Predictor predictor(each.law, values.data(), each.problem.surroundings);
    const PlanPoint near = best_plan_near(each.task(predictor, true), main);
    EXPECT_LT(predictor.evaluations(), 1200) << "request " << number;
    const PlanPoint fresh = best_plan(each.task(predictor, true)).point;
    EXPECT_NEAR(near.loss, fresh.loss, 1e-13) << "request " << number;
    EXPECT_NEAR(std::log(near.params / fresh.params), 0, 1e-6) << "request " << number;
  }
}

TEST(Optimum, MoreOfABudgetNeverHurts) {
  for (PlanRequest request : kinds()) {
    double before = INFINITY;
    for (const double factor : {0.5, 1.0, 2.0}) {
      PlanRequest more = request;
      more.compute *= factor, more.gpu_hours *= factor, more.memory_bytes *= factor;
      const double loss = Case(more).best(false).point.loss;
      EXPECT_LE(loss, before + 2e-15);
      before = loss;
    }
  }
}

TEST(Optimum, ServingShiftsTheBudgetTowardsSmallerModels) {
  PlanRequest request = with(1e22, {"N", "D"});
  request.bits = {16};
  double before = INFINITY;
  for (const double tokens : {0.0, 1e11, 1e12, 1e13}) {
    request.serve_tokens = tokens;
    const PlanPoint point = Case(request).best(false).point;
    EXPECT_LT(point.params, before);
    EXPECT_NEAR(point.params * (6 * point.tokens + 2 * tokens) / 1e22, 1, 1e-12);
    before = point.params;
  }
}

}  // namespace
}  // namespace bitlaw
