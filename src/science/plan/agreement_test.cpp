#include <gtest/gtest.h>

#include "laws/registry.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

PlanRequest of_laws(std::vector<std::string> laws) {
  PlanRequest request;
  request.compute = 1e21;
  request.laws = std::move(laws);
  return request;
}

Json fit_of(const char* name, const char* table, double factor) {
  const Law& law = *find_law(name);
  Json fit{{"law", name}, {"points", 100}, {"table", {{"path", table}, {"rows", 100}}}};
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    fit["parameters"][law.parameters[i].name]["value"] = law.constants[0].values[i];
  }
  fit["parameters"]["A"]["value"] = factor * law.constants[0].values[1];
  return fit;
}

TEST(Agreement, LawsThatDifferSaySo) {
  const PlanComparison document =
      compare_plans(of_laws({"kumar", "kumar-no-offsets", "chinchilla"}), {});
  ASSERT_EQ(document.plans.size(), 3u);
  const PlanAgreement& bits = document.agreement.at("P_w");
  EXPECT_FALSE(bits.agree);  // 7.00 against 3.47
  EXPECT_EQ(bits.lowest, "kumar-no-offsets");
  EXPECT_EQ(bits.highest, "kumar");  // chinchilla knows no bits and is not asked
  EXPECT_NEAR(bits.apart.value(), 7.00 - 3.47, 0.02);
  EXPECT_NE(document.verdict.find("disagree"), std::string::npos);
  EXPECT_NE(document.notes.at(0).find("Losses are not compared"), std::string::npos);
  const std::string text = plan_text(document);
  EXPECT_NE(text.find("kumar-no-offsets"), std::string::npos);
  EXPECT_NE(text.find("P_w               from 3.47 (kumar-no-offsets) to 7.00 (kumar)"),
            std::string::npos)
      << text;
}

TEST(Agreement, ThePlansAreThoseOfEachLaw) {
  const PlanRequest request = of_laws({"kumar", "chinchilla"});
  const PlanComparison document = compare_plans(request, {});
  PlanRequest one;
  one.compute = 1e21;
  one.law = "chinchilla";
  EXPECT_EQ(plan_json(document.plans.at(1).plan)["optimum"], plan_json(make_plan(one))["optimum"]);
}

TEST(Agreement, FitsOfOneTableCompareTheirLosses) {
  const std::vector<Json> fits{fit_of("kumar", "a.csv", 1), fit_of("kumar", "a.csv", 1.01)};
  const PlanComparison document = compare_plans(of_laws({}), fits);
  EXPECT_EQ(document.plans.at(0).name, "kumar #1");
  EXPECT_EQ(document.plans.at(1).name, "kumar #2");
  EXPECT_NE(document.verdict.find("The laws agree on"), std::string::npos);
  EXPECT_NE(document.notes.at(0).find("can be compared"), std::string::npos);
  const PlanComparison other =
      compare_plans(of_laws({}), {fit_of("kumar", "a.csv", 1), fit_of("kumar", "b.csv", 1)});
  EXPECT_NE(other.notes.at(0).find("not compared"), std::string::npos);
}

TEST(Agreement, WhatALawCannotAnswerIsSkippedWithAReason) {
  PlanRequest request = of_laws({"kumar", "chinchilla"});
  request.post_bits = 4;
  const PlanComparison document = compare_plans(request, {});
  ASSERT_EQ(document.skipped.size(), 1u);
  EXPECT_EQ(document.skipped[0].law, "chinchilla");
  EXPECT_NE(document.skipped[0].why.find("quantization after training"), std::string::npos);
  EXPECT_EQ(document.verdict, "Only kumar answers this.");
}

TEST(Agreement, AllLawsAnswerOrSayWhyNot) {
  const PlanComparison document = compare_plans(of_laws({"all"}), {});
  EXPECT_EQ(document.plans.size() + document.skipped.size(), laws().size());
  for (const NamedPlan& each : document.plans) EXPECT_GT(each.plan.optimum->loss.value(), 0);
  EXPECT_FALSE(plan_text(document).empty());
}

TEST(Agreement, NothingToCompareIsAnError) {
  EXPECT_FALSE(compare_plans(of_laws({}), {}).error.empty());
  EXPECT_NE(compare_plans(of_laws({"kumer"}), {}).error.find("did you mean 'kumar'?"),
            std::string::npos);
  EXPECT_FALSE(compare_plans(of_laws({}), {Json(3)}).error.empty());
}

}  // namespace
}  // namespace bitlaw
