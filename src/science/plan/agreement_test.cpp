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
  const Json document = compare_plans(of_laws({"kumar", "kumar-no-offsets", "chinchilla"}), {});
  ASSERT_EQ(document.at("plans").size(), 3u);
  const Json& bits = document.at("agreement").at("P_w");
  EXPECT_FALSE(bits["agree"].get<bool>());  // 7.00 against 3.47
  EXPECT_EQ(bits["lowest"], "kumar-no-offsets");
  EXPECT_EQ(bits["highest"], "kumar");  // chinchilla knows no bits and is not asked
  EXPECT_NEAR(bits["apart"].get<double>(), 7.00 - 3.47, 0.02);
  EXPECT_NE(document["verdict"].get<std::string>().find("disagree"), std::string::npos);
  EXPECT_NE(document["notes"][0].get<std::string>().find("Losses are not compared"),
            std::string::npos);
  const std::string text = plan_text(document);
  EXPECT_NE(text.find("kumar-no-offsets"), std::string::npos);
  EXPECT_NE(text.find("P_w               from 3.47 (kumar-no-offsets) to 7.00 (kumar)"),
            std::string::npos)
      << text;
}

TEST(Agreement, ThePlansAreThoseOfEachLaw) {
  const PlanRequest request = of_laws({"kumar", "chinchilla"});
  const Json document = compare_plans(request, {});
  PlanRequest one;
  one.compute = 1e21;
  one.law = "chinchilla";
  EXPECT_EQ(document["plans"][1]["optimum"], make_plan(one)["optimum"]);
}

TEST(Agreement, FitsOfOneTableCompareTheirLosses) {
  const std::vector<Json> fits{fit_of("kumar", "a.csv", 1), fit_of("kumar", "a.csv", 1.01)};
  const Json document = compare_plans(of_laws({}), fits);
  EXPECT_EQ(document["plans"][0]["name"], "kumar #1");
  EXPECT_EQ(document["plans"][1]["name"], "kumar #2");
  EXPECT_NE(document["verdict"].get<std::string>().find("The laws agree on"), std::string::npos);
  EXPECT_NE(document["notes"][0].get<std::string>().find("can be compared"), std::string::npos);
  const Json other =
      compare_plans(of_laws({}), {fit_of("kumar", "a.csv", 1), fit_of("kumar", "b.csv", 1)});
  EXPECT_NE(other["notes"][0].get<std::string>().find("not compared"), std::string::npos);
}

TEST(Agreement, WhatALawCannotAnswerIsSkippedWithAReason) {
  PlanRequest request = of_laws({"kumar", "chinchilla"});
  request.post_bits = 4;
  const Json document = compare_plans(request, {});
  ASSERT_EQ(document["skipped"].size(), 1u);
  EXPECT_EQ(document["skipped"][0]["law"], "chinchilla");
  EXPECT_NE(document["skipped"][0]["why"].get<std::string>().find("quantization after training"),
            std::string::npos);
  EXPECT_EQ(document["verdict"], "Only kumar answers this.");
}

TEST(Agreement, AllLawsAnswerOrSayWhyNot) {
  const Json document = compare_plans(of_laws({"all"}), {});
  EXPECT_EQ(document["plans"].size() + document["skipped"].size(), laws().size());
  for (const Json& plan : document["plans"]) EXPECT_GT(plan["optimum"]["loss"], 0);
  EXPECT_FALSE(plan_text(document).empty());
}

TEST(Agreement, NothingToCompareIsAnError) {
  EXPECT_TRUE(compare_plans(of_laws({}), {}).contains("error"));
  EXPECT_NE(compare_plans(of_laws({"kumer"}), {})["error"].get<std::string>().find(
                "did you mean 'kumar'?"),
            std::string::npos);
  EXPECT_TRUE(compare_plans(of_laws({}), {Json(3)}).contains("error"));
}

}  // namespace
}  // namespace bitlaw
