#include "plan/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "laws/registry.h"
#include "plan/forms.h"

namespace bitlaw {
namespace {

double at(const Plan& plan, const char* name) {
  return plan.optimum.value().find(name).value();
}

std::string error_of(const PlanRequest& request, const Json& fit = nullptr) {
  return make_plan(request, fit).error;
}

// Fit document with published constants and the draws given.
Json fit_document(const std::vector<std::vector<double>>& draws) {
  const Law& law = *find_law("kumar");
  Json fit{{"law", "kumar"}, {"points", 100}};
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    fit["parameters"][law.parameters[i].name]["value"] = law.constants[0].values[i];
  }
  fit["draws"] = {{"names", {"A", "gamma_w"}}, {"values", draws}};
  return fit;
}

TEST(Plan, SaysHowFarItLiesBeyondTheRunsOfAFit) {
  PlanRequest request;
  request.compute = 1e21;
  const auto says = [](const Plan& plan, const char* words) {
    return std::count_if(plan.notes.begin(), plan.notes.end(), [&](const std::string& note) {
      return note.find(words) != std::string::npos;
    });
  };
  Json fit = fit_document({});
  EXPECT_EQ(says(make_plan(request, fit), "does not say how far its runs reach"), 1);
  fit["studied"] = {
      {"least_bits", 3}, {"most_bits", 6}, {"most_params", 800e3}, {"most_tokens", 18e6}};
  const Plan plan = make_plan(request, fit);
  EXPECT_EQ(says(plan, "does not say how far"), 0);
  EXPECT_EQ(says(plan, "Extrapolates beyond the runs"), 1);
  EXPECT_EQ(says(plan, "P_w = 7 is not within their 3 to 6 bits"), 1);
  EXPECT_EQ(
      says(plan, fmt::format("N is {:.3g} times their largest", at(plan, "N") / 800e3).c_str()), 1);
  fit["studied"] = {
      {"least_bits", 3}, {"most_bits", 16}, {"most_params", 1e15}, {"most_tokens", 1e15}};
  EXPECT_EQ(says(make_plan(request, fit), "Extrapolates"), 0);
}

TEST(Plan, JointOptimumIsAtSevenBitsWhateverTheBudget) {
  for (const double compute : {1e15, 1e21, 1e26}) {
    PlanRequest request;
    request.compute = compute;
    const Plan plan = make_plan(request);
    for (const char* part : {"P_w", "P_a", "P_kv"}) EXPECT_NEAR(at(plan, part), 7.00, 5e-3);
    EXPECT_NEAR(6.0 / 16 * at(plan, "N") * at(plan, "D") * at(plan, "P_w") / compute, 1, 1e-12);
    EXPECT_NEAR(at(plan, "compute") / compute, 1, 1e-12);
  }
}

TEST(Plan, JointOptimumBeatsAGridAroundIt) {
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(request);
  const Law& law = *find_law("kumar");
  const EffectiveForm form(law, law.constants[0].values);
  for (double bits = 4; bits <= 16; bits += 0.5) {
    for (double log_params = 18; log_params < 28; log_params += 0.1) {
      const double params = std::exp(log_params), tokens = 16e21 / (6 * params * bits);
      EXPECT_GE(form.loss(params, tokens, Bits::all(bits)), at(plan, "loss"));
    }
  }
}

TEST(Plan, UntiedPrecisionIsAtLeastAsGoodAndBalancesTheParts) {
  PlanRequest request;
  request.compute = 1e21;
  const double tied = at(make_plan(request), "loss");
  request.tied = false;
  const Plan plan = make_plan(request);
  EXPECT_LT(at(plan, "loss"), tied);
  // At the optimum dlog f_x / dP_x is the same for every part: each bit costs the same.
  const Law& law = *find_law("kumar");
  const EffectiveForm form(law, law.constants[0].values);
  const Bits best{at(plan, "P_w"), at(plan, "P_a"), at(plan, "P_kv")};
  std::vector<double> slopes;
  for (auto part : {&Bits::weights, &Bits::activations, &Bits::kv}) {
    Bits up = best, down = best;
    up.*part += 1e-4, down.*part -= 1e-4;
    slopes.push_back((form.log_share(up) - form.log_share(down)) / 2e-4);
  }
  // Slopes change by about 0.07 per bit; the bits are found to 1e-5.
  EXPECT_NEAR(slopes[0], slopes[1], 1e-5);
  EXPECT_NEAR(slopes[0], slopes[2], 1e-5);
}

TEST(Plan, AnySubsetMayBeFree) {
  struct Row {
    std::vector<std::string> free;
    double compute, params, tokens;
    std::vector<double> bits;
  };
  // At 1e20 FLOP; whatever is fixed stays, and the budget is spent.
  for (const Row& row : {Row{{"N", "D"}, 1e20, 0, 0, {8}}, Row{{"D", "P"}, 1e20, 1e9, 0, {}},
                         Row{{"N,P"}, 1e20, 0, 2e10, {}}, Row{{"N"}, 1e20, 0, 2e10, {4, 8, 16}},
                         Row{{"D"}, 1e20, 1e9, 0, {6}}, Row{{"P_w", "D"}, 1e20, 1e9, 0, {8}}}) {
    PlanRequest request;
    request.free = row.free, request.compute = row.compute, request.params = row.params;
    request.tokens = row.tokens, request.bits = row.bits;
    const Plan plan = make_plan(request);
    ASSERT_TRUE(plan.error.empty()) << plan.error;
    EXPECT_NEAR(at(plan, "compute") / row.compute, 1, 1e-12);
    if (row.params > 0) {
      EXPECT_EQ(at(plan, "N"), row.params);
    }
    if (row.tokens > 0) {
      EXPECT_EQ(at(plan, "D"), row.tokens);
    }
    if (row.bits.size() == 3) {
      EXPECT_EQ(at(plan, "P_kv"), 16);
    }
  }
}

TEST(Plan, SizeFixedAgreesWithTheRootAndTokensFixedWithTheRatio) {
  PlanRequest request;
  request.free = {"D", "P"}, request.compute = 1e24, request.params = 8e9;
  const Plan sized = make_plan(request);
  request = PlanRequest();
  request.free = {"P"}, request.params = 8e9, request.tokens = at(sized, "D");
  EXPECT_NEAR(at(make_plan(request), "P_w"), at(sized, "P_w"),
              1e-4);  // a search, to 1e-8 of 3 nats
  request = PlanRequest();
  request.free = {"N", "P"}, request.compute = 1e24, request.tokens = 1e13;
  EXPECT_NEAR(at(make_plan(request), "P_w"), 7.00, 5e-3);  // argmax f / P once more
}

TEST(Plan, PrecisionAloneTakesWhatTheBudgetPays) {
  PlanRequest request;
  request.free = {"P"}, request.params = 1e9, request.tokens = 1e10;
  request.compute = 6.0 / 16 * 1e19 * 9;  // nine bits
  EXPECT_NEAR(at(make_plan(request), "P_w"), 9, 1e-6);
  request.compute = 1e18;
  EXPECT_NE(error_of(request).find("budget too small"), std::string::npos);
}

TEST(Plan, NothingFreeIsAPrediction) {
  PlanRequest request;
  request.free = {}, request.params = 30e6, request.tokens = 3e9, request.bits = {16},
  request.post_bits = 4;
  const Plan plan = make_plan(request);
  const Law& law = *find_law("kumar");
  const EffectiveForm form(law, law.constants[0].values);
  EXPECT_DOUBLE_EQ(at(plan, "loss"), form.loss(30e6, 3e9, Bits::all(16), 4));
  EXPECT_GT(at(plan, "delta"), 0);
}

TEST(Plan, CriticalDataHasARowPerBits) {
  PlanRequest request;
  request.critical_data = true, request.params = 30e6, request.bits = {3, 4, 5, 6};
  const std::vector<CriticalData> rows = make_plan(request).critical_data;
  ASSERT_EQ(rows.size(), 4u);
  const double expected[] = {177, 959, 5185, 28000}, tolerance[] = {.5, .5, .5, 500};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(rows[i].tokens_per_param, expected[i], tolerance[i]);
    EXPECT_EQ(rows[i].bits, request.bits[i]);
  }
}

TEST(Plan, InferenceBudget) {
  const double expected[] = {4.75, 5.82, 6.86, 7.87, 8.87, 9.85, 10.83};
  for (int i = 0; i < 7; ++i) {
    PlanRequest request;
    request.inference_budget = std::pow(10.0, 8 + i);
    const Plan plan = make_plan(request);
    EXPECT_NEAR(at(plan, "P_post"), expected[i], 5e-3) << request.inference_budget;
    EXPECT_NEAR(at(plan, "N") * at(plan, "P_post") / request.inference_budget, 1, 1e-12);
  }
}

TEST(Plan, QuantizingAfterwardsShiftsTheBudgetTowardsSize) {
  PlanRequest request;
  request.free = {"N", "D"}, request.compute = 1e20;
  const Plan plain = make_plan(request);
  request.post_bits = 3;
  const Plan quantized = make_plan(request);
  EXPECT_GT(at(quantized, "N"), at(plain, "N"));  // delta grows with D and falls with N
  const Law& law = *find_law("kumar");
  const EffectiveForm form(law, law.constants[0].values);
  const double n = at(quantized, "N"), d = at(quantized, "D");
  for (const double step : {0.99, 1.01}) {
    EXPECT_GT(form.loss(n * step, d / step, Bits::all(16), 3), at(quantized, "loss"));
  }
}

TEST(Plan, CostTableLeavesItsOwnBitsToChooseFrom) {
  PlanRequest request;
  request.compute = 1e21, request.cost = "16:1, 8:2, 4:4";
  EXPECT_EQ(at(make_plan(request), "P_w"), 8);  // f/cost: 0.33, 1.66, 0.99 at 4, 8, 16
  request.cost = "16:1,8:1.1";
  EXPECT_EQ(at(make_plan(request), "P_w"), 16);
  request.cost = "linear", request.available_bits = {4, 6, 12};
  EXPECT_EQ(at(make_plan(request), "P_w"), 6);
}

TEST(Plan, ChinchillaIgnoresBitsAndSaysSo) {
  PlanRequest request;
  request.law = "chinchilla", request.constants = "besiroglu", request.compute = 1e21;
  const Plan plan = make_plan(request);
  EXPECT_EQ(at(plan, "P_w"), 16);
  EXPECT_NEAR(6 * at(plan, "N") * at(plan, "D") / 1e21, 1, 1e-12);
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_NE(plan.notes[0].find("does not model bits"), std::string::npos);
}

TEST(Plan, IntervalsComeFromTheDraws) {
  std::vector<std::vector<double>> draws;
  for (int i = 0; i <= 100; ++i) draws.push_back({4299, 2.0 + 0.01 * i});
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(request, fit_document(draws));
  EXPECT_NEAR(at(plan, "P_w"), 7.00, 5e-3);
  ASSERT_TRUE(plan.intervals && plan.intervals->contains("P_w"));
  const auto [low, high] = plan.intervals->at("P_w");
  EXPECT_LT(low, 7.0);
  EXPECT_GT(high, 7.0);
  // P* rises with gamma_w, so the 5 % point is the plan with gamma_w = 2.05.
  EXPECT_NEAR(low,
              at(make_plan(request,
                           [] {
                             Json fit = fit_document({});
                             fit["parameters"]["gamma_w"]["value"] = 2.05;
                             return fit;
                           }()),
                 "P_w"),
              1e-5);
  EXPECT_FALSE(plan.intervals->contains("compute"));  // the budget is given, not estimated
  EXPECT_FALSE(make_plan(request).intervals);
  EXPECT_NE(plan_text(plan).find("["), std::string::npos);
}

TEST(Plan, ConstantsThatTheFitFixedAreNamed) {
  PlanRequest request;
  request.compute = 1e21;
  Json fit = fit_document({});
  fit["parameters"]["C_w"]["frozen"] = "too few rows";
  const auto note = [&] {
    return fmt::format("{}", fmt::join(make_plan(request, fit).notes, "\n"));
  };
  EXPECT_NE(note().find(
                "C_w was not fitted, because the study does not identify it: its value is fixed."),
            std::string::npos)
      << note();
  fit["parameters"]["C_a"]["frozen"] = "too few rows";
  EXPECT_NE(note().find("C_a were not fitted, because the study does not identify them: their"),
            std::string::npos)
      << note();
}

TEST(Plan, AFitThatEndedAtTheEdgeOfARangeIsNotToBeReliedOn) {
  PlanRequest request;
  request.compute = 1e21;
  Json fit = fit_document({});
  const auto warned = [&] {
    return fmt::format("{}", fmt::join(make_plan(request, fit).notes, "\n"))
               .find("Do not rely on this: A ended") != std::string::npos;
  };
  EXPECT_FALSE(warned());
  const Law& law = *find_law("kumar");
  fit["parameters"]["A"]["value"] = law.parameters[parameter_index(law, "A")].high;
  EXPECT_TRUE(warned());
}

// There is no fit to lack draws.
TEST(Plan, StartingValuesOfAFitAreCalledSo) {
  PlanRequest request;
  request.law = additive_rival().name, request.compute = 1e21;
  const Plan plan = make_plan(request);
  ASSERT_EQ(plan.error, "");
  const std::string notes = fmt::format("{}", fmt::join(plan.notes, "\n"));
  EXPECT_NE(notes.find("these are starting values of a fit"), std::string::npos) << notes;
  EXPECT_EQ(notes.find("draws"), std::string::npos) << notes;
  EXPECT_EQ(plan.next_run->problem, "these are starting values of a fit, without intervals");
  const Plan fitted = make_plan(request, fit_document({}));
  EXPECT_NE(fmt::format("{}", fmt::join(fitted.notes, "\n")).find("the fit has no bootstrap draws"),
            std::string::npos);
}

TEST(Plan, RequestsThatMakeNoSenseGetOneSentence) {
  const auto with = [](auto change) {
    PlanRequest request;
    request.compute = 1e21;
    change(request);
    return error_of(request);
  };
  EXPECT_EQ(with([](PlanRequest&) {}), "");
  EXPECT_NE(with([](auto& r) { r.law = "kumer"; }).find("did you mean 'kumar'?"),
            std::string::npos);
  EXPECT_NE(with([](auto& r) { r.constants = "x"; }).find("unknown set of kumar constants 'x'"),
            std::string::npos);
  EXPECT_NE(with([](auto& r) { r.free = {"Q"}; }).find("cannot be free"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.free = {"P", "P_w"}; }).find("name either P"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.compute = 0; }).find("compute:"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.compute = -1; }).find("compute: -1"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.free = {"D"}; }).find("params: give N"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.bits = {3, 4}; }).find("bits:"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.bits = {99}; }).find("bits: 99"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.cost = "fast"; }).find("BITS:SPEEDUP"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.critical_data = true; }).find("give N"), std::string::npos);
  EXPECT_NE(with([](auto& r) { r.law = "chinchilla", r.post_bits = 4; }).find("plan with kumar"),
            std::string::npos);
  PlanRequest request;
  EXPECT_NE(error_of(request, Json{{"a", 1}}).find("names no .law"), std::string::npos);
  EXPECT_NE(error_of(request, Json::array()).find("not a JSON object"), std::string::npos);
  Json broken = fit_document({});
  broken["parameters"].erase("A");
  EXPECT_NE(error_of(request, broken).find("no value for A"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
