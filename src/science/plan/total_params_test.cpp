// Plans with fits that count all parameters.
#include <gtest/gtest.h>

#include <cmath>

#include "laws/fixed_params.h"
#include "laws/registry.h"
#include "plan/frontier.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

constexpr double kScale = 5000, kExponent = 0.45;

Json total_fit(bool fixed) {
  const Law& law = *find_law("kumar");
  Json fit{{"law", "kumar"}, {"points", 400}, {"params", "total"}};
  for (size_t i = 0; i < law.parameters.size(); ++i)
    fit["parameters"][law.parameters[i].name]["value"] = law.constants[0].values[i];
  if (fixed) fit["fixed_params"] = {{"scale", kScale}, {"exponent", kExponent}, {"sizes", 3}};
  return fit;
}

TEST(TotalParams, PlansShrinkTheMatricesAlone) {
  const Law& law = *find_law("kumar");
  const FixedParams fixed{.scale = kScale, .exponent = kExponent};
  PlanRequest request;
  request.compute = 1e18, request.bits = {4, 16, 16};
  const Plan plan = make_plan(request, total_fit(true));
  ASSERT_EQ(plan.error, "");
  const double params = plan.optimum->params, share = fixed.share_of_total(params);
  ASSERT_GT(share, 0.02);
  const auto loss = [&](double n) {
    Observation run;
    run.params = n, run.tokens = 1e18 / (6 * n * (4 + 32) / 48.0), run.bits_weights = 4;
    run.fixed_share = fixed.share_of_total(n);
    return predict(law, law.constants[0].values.data(), run);
  };
  EXPECT_NEAR(plan.optimum->loss.value(), loss(params), 1e-12);
  for (const double step : {0.5, 0.9, 0.99, 1.01, 1.1, 2.0})
    EXPECT_GT(loss(step * params), loss(params)) << step;
  const Plan without = make_plan(request, total_fit(false));
  EXPECT_GT(plan.optimum->effective_params.value() / params,
            without.optimum->effective_params.value() / without.optimum->params);
  // The run that such a plan predicts is the plan's.
  ASSERT_TRUE(plan.next_run);
  EXPECT_NEAR(plan.next_run->loss, plan.optimum->loss.value(), 1e-12);
}

TEST(TotalParams, FilesHoldTheTablesEmbeddings) {
  const FixedParams fixed{.scale = kScale, .exponent = kExponent};
  PlanRequest request;
  request.tokens = 1e10, request.bits = {4, 16, 16}, request.memory_bytes = 1e8;
  const Plan plan = make_plan(request, total_fit(true));
  ASSERT_EQ(plan.error, "");
  const double matrices = fixed.matrices_of_total(plan.optimum->params);
  EXPECT_NEAR(plan.optimum->embedding_bytes.value(), 2 * fixed.fixed(matrices), 1e-3);
  EXPECT_NEAR(plan.optimum->memory_bytes.value(), 1e8, 1);
  EXPECT_NEAR(plan.optimum->total_params.value() / plan.optimum->params, 1, 1e-9);
  // Options come first.
  request.vocabulary = 1000, request.width = 100, request.tied_head = true;
  EXPECT_NEAR(make_plan(request, total_fit(true)).optimum->embedding_bytes.value(), 2e5, 1e-3);
}

}  // namespace
}  // namespace bitlaw
