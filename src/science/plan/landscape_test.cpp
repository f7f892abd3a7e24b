#include "plan/landscape.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

PlanRequest asked(double compute) {
  PlanRequest request;
  request.compute = compute;
  return request;
}

// A point is the plan whose quantities are given; what is free there is the best of it.
TEST(Landscape, APointIsThePlanThere) {
  const std::vector<LandscapeAxis> axes{{"N", {1e8, 1e9, 1e10}}, {"P", {3, 6.5, 16}}};
  const Landscape made = make_landscape(asked(1e21), axes);
  ASSERT_EQ(made.error, "");
  ASSERT_EQ(made.points.size(), 9u);
  size_t at = 0;
  for (const double bits : axes[1].values) {
    for (const double params : axes[0].values) {
      PlanRequest one = asked(1e21);
      one.params = params, one.bits = {bits};
      const Plan plan = make_plan(one);
      ASSERT_EQ(plan.error, "");
      EXPECT_EQ(made.points[at].loss, plan.optimum->loss);
      EXPECT_EQ(made.points[at].tokens, plan.optimum->tokens);
      ++at;
    }
  }
}

// Along the compute, N, D and P are free: each point is a whole plan, and more compute is no worse.
TEST(Landscape, WhatIsNotAnAxisIsTheBest) {
  const Landscape made = make_landscape(PlanRequest{}, {{"compute", {1e18, 1e20, 1e22}}});
  ASSERT_EQ(made.error, "");
  for (size_t i = 0; i < made.points.size(); ++i) {
    const Plan plan = make_plan(asked(made.axes[0].values[i]));
    EXPECT_EQ(made.points[i].loss, plan.optimum->loss);
    EXPECT_EQ(made.points[i].bits_weights, plan.optimum->bits_weights);
    if (i > 0) EXPECT_LT(made.points[i].loss, made.points[i - 1].loss);
  }
}

// With everything given, a model is quantized after training; the loss rises again past the critical data.
TEST(Landscape, TooMuchDataHurtsAQuantizedModel) {
  PlanRequest request;
  request.params = 3e7, request.bits = {16};
  const Landscape made = make_landscape(request, {{"D", {1.5e9, 5.3e9, 26e9}}, {"P_post", {3, 8}}});
  ASSERT_EQ(made.error, "");
  EXPECT_LT(made.points[1].loss, made.points[0].loss);
  EXPECT_LT(made.points[1].loss, made.points[2].loss);
  EXPECT_LT(made.points[5].loss, made.points[4].loss);
  request.critical_data = true, request.bits = {3};
  EXPECT_NEAR(make_plan(request).critical_data[0].tokens, 5.3e9, 0.05e9);
}

TEST(Landscape, PointsThatTheLawOrTheLimitsExcludeHaveNoLoss) {
  PlanRequest request = asked(1e21);
  request.law = "quest";
  const Landscape classes = make_landscape(request, {{"P", {4, 5}}});
  ASSERT_EQ(classes.error, "");
  EXPECT_TRUE(std::isfinite(classes.points[0].loss));
  EXPECT_TRUE(std::isnan(classes.points[1].loss));  // no constant for 5 bits
  request = asked(1e21);
  request.memory_bytes = 1e9, request.context = 0;
  const Landscape memory = make_landscape(request, {{"N", {1e8, 1e12}}, {"P", {8}}});
  ASSERT_EQ(memory.error, "");
  EXPECT_TRUE(std::isnan(memory.points[1].loss));
  const Json document = landscape_json(memory);
  EXPECT_EQ(document["loss"].size(), 2u);
  EXPECT_TRUE(document["loss"][1].is_null());
  EXPECT_FALSE(document.contains("P_w"));  // the same everywhere
}

TEST(Landscape, WhatMakesNoSenseIsOneSentence) {
  const auto error = [](const PlanRequest& request, const std::vector<LandscapeAxis>& axes) {
    return make_landscape(request, axes).error;
  };
  EXPECT_EQ(error(asked(1e21), {}), "axes: give one or two");
  EXPECT_NE(error(asked(1e21), {{"M", {1}}}).find("unknown axis 'M'"), std::string::npos);
  EXPECT_EQ(error(asked(1e21), {{"N", {}}}), "axes: give values for each");
  EXPECT_EQ(error(asked(1e21), {{"N", {1e9, -1}}}), "axes: N = -1 is not a positive number");
  EXPECT_EQ(error(asked(1e21), {{"N", {1e9}}, {"N", {1e9}}}), "axes: the two are the same");
  const std::vector<double> many(200, 1e9);
  EXPECT_EQ(error(asked(1e21), {{"N", many}, {"D", many}}), "axes: more than 20000 points");
  PlanRequest request = asked(1e21);
  request.law = "chinchilla";
  EXPECT_NE(error(request, {{"P_post", {3}}}).find("does not model quantization after training"),
            std::string::npos);
  request.law = "apple-qat-fraction";
  EXPECT_NE(error(request, {{"N", {1e9}}}).find("does not predict a loss"), std::string::npos);
  request = asked(1e21);
  request.critical_data = true;
  EXPECT_NE(error(request, {{"N", {1e9}}}).find("critical_data"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
