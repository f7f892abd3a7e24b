// What is given is not free.
#include "plan/given.h"

#include <gtest/gtest.h>

#include "plan/plan.h"

namespace bitlaw {
namespace {

using Names = std::vector<std::string>;

template <class Change>
PlanRequest request_with(Change change) {
  PlanRequest request;
  change(request);
  return request;
}

template <class Change>
Plan plan_with(Change change) {
  return make_plan(request_with(change));
}

template <class Change>
std::string error_with(Change change) {
  const Plan plan = plan_with(change);
  EXPECT_EQ(plan.error.find('\n'), std::string::npos);
  EXPECT_EQ(plan.optimum.has_value(), plan.error.empty());
  return plan.error;
}

double at(const Plan& plan, const char* name) {
  EXPECT_EQ(plan.error, "");
  return plan.optimum.value().find(name).value();
}

TEST(Given, BitsAreNotFree) {
  const Plan plan = plan_with([](auto& r) { r.compute = 1e20, r.bits = {4}; });
  EXPECT_EQ(at(plan, "P_w"), 4);
  EXPECT_EQ(at(plan, "P_kv"), 4);
  EXPECT_NEAR(6 * at(plan, "N") * at(plan, "D") * 4 / 16 / 1e20, 1, 1e-12);
  EXPECT_EQ(plan.request.free, (Names{"N", "D"}));
}

TEST(Given, APrecisionByNameIsNotFree) {
  const Plan plan = plan_with([](auto& r) { r.compute = 1e20, r.precision = "W4A4"; });
  EXPECT_EQ(at(plan, "P_w"), 4);
  EXPECT_EQ(at(plan, "P_a"), 4);
  EXPECT_EQ(at(plan, "P_kv"), 16);
  EXPECT_EQ(plan.optimum->precision, "W4A4");
}

TEST(Given, ParametersAndTokensAreNotFree) {
  const Plan sized = plan_with([](auto& r) { r.params = 1e9, r.compute = 1e20, r.bits = {4}; });
  EXPECT_EQ(at(sized, "N"), 1e9);
  EXPECT_NEAR(at(sized, "D"), 1e20 / (6e9 * 4 / 16), 1);
  const Plan trained = plan_with([](auto& r) { r.tokens = 2e10, r.compute = 1e20; });
  EXPECT_EQ(at(trained, "D"), 2e10);
  EXPECT_EQ(trained.request.free, (Names{"N", "P"}));
}

TEST(Given, AllOfThemMakeAPrediction) {
  const auto all = [](auto& r) { r.params = 1e9, r.tokens = 1e10, r.bits = {4}; };
  const Plan plan = plan_with(all);
  EXPECT_EQ(at(plan, "N"), 1e9);
  EXPECT_EQ(at(plan, "D"), 1e10);
  EXPECT_EQ(at(plan, "P_w"), 4);
  EXPECT_EQ(plan.request.free, Names{});
  EXPECT_NE(error_with([&](auto& r) { all(r), r.compute = 1e18; }).find("budget too small"),
            std::string::npos);
}

// 1e21 FLOP are not too few, and nobody gave N or D: it is the law that has no loss there.
TEST(Given, BitsThatTheLawHasNoLossForAreSaidToBe) {
  const auto bits = [](std::vector<double> list) {
    return [=](auto& r) { r.compute = 1e21, r.bits = list; };
  };
  const std::string all = error_with(bits({1.5}));
  EXPECT_EQ(all.find("bits: kumar gives no loss at 1.5 bits of activations and KV: its "
                     "share of effective parameters is not above zero there; give more bits, "
                     "such as "),
            0u)
      << all;
  // What it says is enough, is.
  const double enough = std::stod(all.substr(all.rfind(' ')));
  EXPECT_GT(enough, 1.5);
  EXPECT_LT(at(plan_with(bits({enough})), "loss"), 10);
  // Only the parts that are at fault, and whatever else is given.
  EXPECT_NE(error_with(bits({8, 1.2, 16})).find("at 1.2 bits of activations:"), std::string::npos);
  for (const auto& given : {Names{"N"}, Names{"N", "D"}, Names{"D"}, Names{}}) {
    const std::string error = error_with([&](auto& r) {
      bits({1.5})(r);
      if (given.size() == 2) r.compute = 0;  // no budget at all
      for (const std::string& name : given) (name == "N" ? r.params : r.tokens) = 1e9;
    });
    EXPECT_EQ(error.find("bits: kumar gives no loss at 1.5 bits"), 0u) << error;
  }
  // A budget that is too small names what is given, and nothing else.
  const auto small = [](auto& r) { r.compute = 1e3, r.tokens = 1e9; };
  EXPECT_EQ(error_with(small),
            "compute: budget too small for this D at any allowed precision; raise it");
  EXPECT_EQ(error_with([&](auto& r) { small(r), r.bits = {4}; }),
            "compute: budget too small for this D at this precision; raise it");
}

TEST(Given, AnInferenceBudgetIgnoresNothingSilently) {
  const auto budget = [](auto& r) { r.inference_budget = 8e10; };
  EXPECT_EQ(error_with(budget), "");
  EXPECT_NE(error_with([&](auto& r) { budget(r), r.params = 1e9; }).find("params: "),
            std::string::npos);
  EXPECT_NE(error_with([&](auto& r) { budget(r), r.tokens = 1e9; }).find("tokens: "),
            std::string::npos);
  EXPECT_NE(error_with([&](auto& r) { budget(r), r.bits = {4}; }).find("bits: "),
            std::string::npos);
  EXPECT_NE(error_with([&](auto& r) { budget(r), r.precision = "W4A4"; }).find("precision: "),
            std::string::npos);
}

TEST(Given, SeveralLawsTakeWhatIsGiven) {
  const PlanComparison answers = compare_plans(
      request_with([](auto& r) { r.laws = {"all"}, r.compute = 1e20, r.bits = {4}; }), {});
  ASSERT_GT(answers.plans.size(), 2u);
  for (const auto& [name, plan] : answers.plans) EXPECT_EQ(at(plan, "P_w"), 4) << name;
}

TEST(Given, ListsChooseAmongTheValuesOfAFreeP) {
  const Plan listed = plan_with([](auto& r) { r.compute = 1e20, r.integer_bits = true; });
  EXPECT_EQ(at(listed, "P_w"), 7);
  EXPECT_EQ(listed.request.free, (Names{"N", "D", "P"}));
  const auto says = [](const char* words, auto list) {
    const std::string error = error_with([&](auto& r) {
      r.compute = 1e20, r.bits = {4};
      list(r);
    });
    EXPECT_NE(error.find(words), std::string::npos) << error;
  };
  says("leave out formats or bits", [](auto& r) { r.formats = {"e2m1", "e4m3"}; });
  says("leave out available_bits or bits", [](auto& r) { r.available_bits = {4, 8}; });
  says("leave out integer_bits or precision",
       [](auto& r) { r.integer_bits = true, r.bits = {}, r.precision = "W4A4"; });
}

TEST(Given, WhatIsGivenAndFreeGetsOneSentence) {
  const auto says = [](const char* words, auto change) {
    const std::string error = error_with([&](auto& r) {
      r.compute = 1e20, r.free = {"N,D", "P"};
      change(r);
    });
    EXPECT_NE(error.find(words), std::string::npos) << error;
  };
  says("bits: P is given and free; leave out bits, or take P out of free",
       [](auto& r) { r.bits = {4}; });
  says("precision: P is given and free", [](auto& r) { r.precision = "W4A4"; });
  says("precision: P_a is given and free", [](auto& r) {
    r.precision = "W4A4", r.free = {"N", "D", "P_a"};
  });
  says("params: N is given and free", [](auto& r) { r.params = 1e9; });
  says("tokens: D is given and free", [](auto& r) { r.tokens = 1e9; });
  says("post_bits: P_post is given and free", [](auto& r) {
    r.post_bits = 4, r.free = {"N", "D", "P_post"};
  });
  says("P_w, P_a and P_kv are given and free", [](auto& r) {
    r.bits = {4}, r.free = {"P_w", "P_a", "P_kv", "N", "D"};
  });
  says("params: N is given and free",
       [](auto& r) { r.law = "apple-qat-fraction", r.params = 1e9; });
  const PlanComparison answers = compare_plans(request_with([](auto& r) {
                                                 r.laws = {"all"}, r.compute = 1e20;
                                                 r.free = {"P", "N", "D"}, r.bits = {4};
                                               }),
                                               {});
  EXPECT_NE(answers.error.find("bits: P is given and free"), std::string::npos) << answers.error;
  // With one part free, bits give the other two.
  EXPECT_EQ(error_with([](auto& r) { r.compute = 1e20, r.free = {"N,D,P_w"}, r.bits = {4}; }), "");
}

TEST(Given, TablesOfCriticalDataDoNotUseFree) {
  const auto critical = [](auto& r) { r.critical_data = true, r.params = 3e7, r.bits = {3, 4}; };
  EXPECT_EQ(plan_with(critical).critical_data.size(), 2u);
  EXPECT_EQ(plan_with([&](auto& r) { critical(r), r.free = {"N,D,P"}; }).critical_data.size(), 2u);
}

}  // namespace
}  // namespace bitlaw
