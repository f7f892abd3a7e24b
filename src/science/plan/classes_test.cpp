// Plans by laws that have one constant for each precision class, and by those that ask for more than
// bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "laws/registry.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

Plan plan_of(const char* law, PlanRequest request = {}) {
  request.law = law;
  if (request.compute == 0) request.compute = 1e21;
  return make_plan(request);
}

double at(const Plan& plan, const char* name) {
  return plan.optimum.value().find(name).value();
}

std::string precision_of(const Plan& plan) {
  return plan.optimum.value().precision;
}

bool notes_say(const Plan& plan, const char* words) {
  return std::any_of(plan.notes.begin(), plan.notes.end(), [&](const std::string& note) {
    return note.find(words) != std::string::npos;
  });
}

TEST(Classes, QuestChoosesTheClassWithTheMostForItsCost) {
  // eff / cost: W4A4 .692 / .25 = 2.77, W3A3 2.31, W8A8 2.03, W2A2 1.21, W4A16 1.34, BF16 1.
  const Plan plan = plan_of("quest");
  EXPECT_EQ(precision_of(plan), "W4A4");
  EXPECT_NEAR(6.0 / 4 * at(plan, "N") * at(plan, "D") / 1e21, 1, 1e-12);
  // The closed form of QuEST's law: N* = (alpha A eff^-alpha / (beta B))^(1/(alpha+beta)) K^(...).
  const Law& law = *find_law("quest");
  const auto constant = [&](const char* name) {
    return law.constants[0].values[static_cast<size_t>(parameter_index(law, name))];
  };
  const double alpha = constant("alpha"), beta = constant("beta"), product = 1e21 / 6 * 4;
  const double expected = std::exp((std::log(alpha * constant("A") / (beta * constant("B"))) -
                                    alpha * std::log(0.691832) + beta * std::log(product)) /
                                   (alpha + beta));
  EXPECT_NEAR(at(plan, "N") / expected, 1, 1e-7);
}

TEST(Classes, AFixedPrecisionIsNamedOrGivenInBits) {
  PlanRequest request;
  request.free = {"N", "D"}, request.bits = {4};
  EXPECT_EQ(precision_of(plan_of("quest", request)), "W4A4");
  request.bits = {4, 16, 16};
  EXPECT_EQ(precision_of(plan_of("quest", request)), "W4A16");
  request.bits = {};
  EXPECT_EQ(precision_of(plan_of("quest", request)), "BF16");
  request.precision = "FP4";
  EXPECT_EQ(precision_of(plan_of("quest", request)), "FP4");
  request.precision = "W5A5";
  const std::string error = plan_of("quest", request).error;
  EXPECT_NE(error.find("quest has no constant for this precision; it has BF16; W1A1; W2A2"),
            std::string::npos)
      << error;
}

TEST(Classes, AListLimitsTheChoice) {
  PlanRequest request;
  request.formats = {"W2A2", "W8A8", "BF16"};
  EXPECT_EQ(precision_of(plan_of("quest", request)), "W8A8");
  request.formats = {"W5A5"};
  EXPECT_NE(plan_of("quest", request).error.find("no constant for W5A5"), std::string::npos);
  request.formats = {}, request.available_bits = {2, 3};
  EXPECT_EQ(precision_of(plan_of("quest", request)), "W3A3");
}

TEST(Classes, AFitBringsItsOwn) {
  const Law& law = *find_law("quest");
  Json fit{{"law", "quest"}, {"points", 50}};
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    fit["parameters"][law.parameters[i].name]["value"] = law.constants[0].values[i];
  }
  fit["parameters"]["eff[W6A6]"]["value"] = 0.99;
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(request, fit);
  EXPECT_EQ(precision_of(plan), "W6A6");  // .99 / .375 = 2.6, against BF16
  EXPECT_TRUE(plan.sensitivity.contains("eff[W6A6]"));
}

TEST(Classes, QuartetPaysForwardAndBackwardApart) {
  PlanRequest request;
  request.free = {"N", "D"};
  const Plan plan = plan_of("quartet");
  EXPECT_EQ(precision_of(plan), "MXFP4, gradients MXFP4");
  EXPECT_NEAR(6.0 / 4 * at(plan, "N") * at(plan, "D") / 1e21, 1, 1e-12);
  EXPECT_EQ(precision_of(plan_of("quartet", request)), "BF16, gradients BF16");
}

TEST(Classes, ChenGroupsAreGivenAndMatter) {
  PlanRequest request;
  request.free = {"N", "D"}, request.bits = {4};
  request.group = 32;
  const double fine = at(plan_of("chen-qat", request), "loss");
  request.group = 256;
  EXPECT_GT(at(plan_of("chen-qat", request), "loss"), fine);
}

TEST(Classes, RepeatedDataShiftTheBudget) {
  PlanRequest request;
  const Plan plenty = plan_of("muennighoff", request);
  request.unique_tokens = 1e9;
  const Plan scarce = plan_of("muennighoff", request);
  EXPECT_GT(at(scarce, "loss"), at(plenty, "loss"));
  EXPECT_GT(at(scarce, "D") / at(scarce, "N"), at(plenty, "D") / at(plenty, "N"));
}

TEST(Classes, AGaussianErrorRatesAFormatByName) {
  PlanRequest request;
  request.free = {"N", "D"}, request.precision = "e2m1";
  const double of_float = at(plan_of("panferov", request), "loss");
  request.precision = "int4";
  EXPECT_NE(at(plan_of("panferov", request), "loss"), of_float);
}

TEST(Classes, ALawThatKnowsOnlyOfBitsAfterwardsSaysSo) {
  const Plan plan = plan_of("ouyang-qid");
  EXPECT_EQ(at(plan, "P_w"), 16);
  EXPECT_TRUE(notes_say(plan, "does not model bits in training"));
}

TEST(Classes, TheShareOfQuantizedTraining) {
  PlanRequest request;
  request.law = "apple-qat-fraction";
  EXPECT_NE(make_plan(request).error.find("give params, tokens and bits"), std::string::npos);
  request.params = 1e9, request.tokens = 1e12, request.bits = {4};
  const Plan plan = make_plan(request);
  // S = D / (N P / 8) = 2000; exp(log S - 6.7297 / log S) / S.
  EXPECT_NEAR(at(plan, "qat_share"), std::exp(-6.7297 / std::log(2000.0)), 1e-12);
  EXPECT_NEAR(at(plan, "qat_tokens"), 1e12 * at(plan, "qat_share"), 1);
  EXPECT_NE(plan_text(plan).find("tokens with quantization"), std::string::npos);
}

TEST(Classes, StartingPointsAreNotPassedOffAsPublished) {
  const Plan plan = plan_of("frantar-eff");
  EXPECT_EQ(plan.source.find("starting point"), 0) << plan.source;
  EXPECT_TRUE(notes_say(plan, "Do not rely on this"));
  PlanRequest request;
  request.compute = 1e21, request.laws = {"all"};
  for (const NamedPlan& each : compare_plans(request, {}).plans) {
    EXPECT_NE(each.plan.law, "frantar-eff");
  }
}

// Muennighoff's repeated data aside, every law is planned for in a few thousand evaluations.
TEST(Classes, EveryLawTakesFewEvaluations) {
  PlanRequest request;
  request.compute = 1e21, request.memory_bytes = 1e9, request.serve_tokens = 1e12;
  for (const Law& law : laws()) {
    request.law = law.name;
    const Plan plan = make_plan(request);
    if (!plan.error.empty()) {
      EXPECT_NE(law.predicts, Predicts::kLoss) << plan.error;
      continue;
    }
    EXPECT_LT(plan.evaluations, 12000) << law.name;
    EXPECT_LE(plan.budgets.value().at(0).used, 1e21 * (1 + 1e-9)) << law.name;
    EXPECT_LE(plan.budgets.value().at(1).used, 1e9 * (1 + 1e-9)) << law.name;
  }
}

// A class whose name says no bits costs what its rows in the table have; the class without
// quantization is called as there.
TEST(Classes, OfAFitTakeTheirNamesAndBitsFromItsTable) {
  Json fit{{"law", "quest"}, {"points", 32}};
  for (const auto& [name, value] : {std::pair{"A", 406.4},
                                    {"B", 410.7},
                                    {"E", 1.69},
                                    {"alpha", 0.34},
                                    {"beta", 0.28},
                                    {"eff[recipe]", 0.9}})
    fit["parameters"][name] = {{"value", value}};
  PlanRequest request;
  request.compute = 1e21;
  const Plan without = make_plan(request, fit);
  EXPECT_EQ(precision_of(without), "BF16");
  EXPECT_TRUE(notes_say(without, "recipe: the name does not define bits"));

  fit["classes"] = {{"reference", "baseline"},
                    {"bits",
                     {{{"class", ""}, {"P_w", 16}, {"P_a", 16}, {"P_kv", 16}},
                      {{"class", "recipe"}, {"P_w", 4}, {"P_a", 4}, {"P_kv", 4}}}}};
  const Plan with = make_plan(request, fit);
  EXPECT_EQ(precision_of(with), "recipe");
  EXPECT_FALSE(notes_say(with, "does not define bits"));
  request.precision = "baseline";
  const Plan baseline = make_plan(request, fit);
  EXPECT_EQ(precision_of(baseline), "baseline");
  EXPECT_NEAR(6 * at(baseline, "N") * at(baseline, "D") / 1e21, 1, 1e-9);
}

}  // namespace
}  // namespace bitlaw
