// What an answer says besides the optimum: budgets, sensitivities, intervals, choices.
#include "plan/answer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

double at(const Plan& plan, const char* name) {
  return plan.optimum.value().find(name).value();
}

std::string error_of(const PlanRequest& request, const Json& devices = nullptr) {
  return make_plan(request, nullptr, devices).error;
}

const PlanBudget& budget(const Plan& plan, const std::string& name) {
  for (const PlanBudget& each : plan.budgets.value()) {
    if (each.name == name) return each;
  }
  throw Error("no such budget");
}

bool notes_say(const Plan& plan, const char* words) {
  return std::any_of(plan.notes.begin(), plan.notes.end(), [&](const std::string& note) {
    return note.find(words) != std::string::npos;
  });
}

// Published constants of kumar with `count` draws, each constant off by about 3 %.
Json fit_with_draws(int count) {
  const Law& law = *find_law("kumar");
  Json fit{{"law", "kumar"}, {"points", 400}};
  Json names = Json::array(), values = Json::array();
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    fit["parameters"][law.parameters[i].name]["value"] = law.constants[0].values[i];
    names.push_back(law.parameters[i].name);
  }
  for (int d = 0; d < count; ++d) {
    Json row = Json::array();
    for (size_t i = 0; i < law.parameters.size(); ++i) {
      row.push_back(law.constants[0].values[i] *
                    std::exp(0.03 * random_normal(1, static_cast<uint64_t>(d), i)));
    }
    values.push_back(std::move(row));
  }
  fit["draws"] = {{"names", std::move(names)}, {"values", std::move(values)}};
  return fit;
}

TEST(Answer, GpuHoursAreComputeOfADevice) {
  PlanRequest request;
  request.gpu_hours = 1000, request.device = "h100", request.free = {"N", "D"}, request.bits = {16};
  const Plan hours = make_plan(request);
  request = PlanRequest();
  request.compute = 1000 * 3600 * 0.4 * 989.4e12, request.free = {"N", "D"}, request.bits = {16};
  const Plan flop = make_plan(request);
  EXPECT_NEAR(at(hours, "N") / at(flop, "N"), 1, 1e-12);
  EXPECT_NEAR(at(hours, "gpu_hours"), 1000, 1e-9);
  EXPECT_NEAR(at(hours, "compute") / at(flop, "compute"), 1, 1e-12);
}

TEST(Answer, ADeviceLeavesItsOwnBitsToChooseFrom) {
  PlanRequest request;
  request.gpu_hours = 1e4;
  for (const auto& [device, bits] : {std::pair{"h100", 8}, {"b200", 8}, {"tpu-v5e", 8}}) {
    request.device = device;
    EXPECT_EQ(at(make_plan(request), "P_w"), bits)
        << device;  // f / cost: 1.66 at 8, .99 at 4 and 16
  }
  const Json own{{"bits-are-slow", {{"16", 1e15}, {"8", 1.1e15}}}};
  request.device = "bits-are-slow";
  EXPECT_EQ(at(make_plan(request, nullptr, own), "P_w"), 16);
}

TEST(Answer, TheTighterOfTwoComputeBudgetsBinds) {
  PlanRequest request;
  request.compute = 1e21, request.gpu_hours = 1e6, request.device = "h100";
  Plan plan = make_plan(request);
  EXPECT_TRUE(budget(plan, "compute").binds);
  EXPECT_FALSE(budget(plan, "gpu_hours").binds);
  EXPECT_LT(budget(plan, "compute").loss_per_percent, 0);
  EXPECT_EQ(budget(plan, "gpu_hours").loss_per_percent, 0);
  EXPECT_NE(plan.binding.find("compute (1e+21 FLOP) limits the answer"), std::string::npos);
  EXPECT_NE(plan.binding.find("gpu_hours has"), std::string::npos);
  request.gpu_hours = 10;
  plan = make_plan(request);
  EXPECT_TRUE(budget(plan, "gpu_hours").binds);
}

TEST(Answer, MemoryBindsWhereItIsLessThanTheBestModelTakes) {
  PlanRequest request;
  request.compute = 1e22;
  const double free_params = at(make_plan(request), "N");
  request.memory_counts = "weights";
  request.memory_bytes = free_params;  // 7 bits would fit
  Plan plan = make_plan(request);
  EXPECT_FALSE(budget(plan, "memory_bytes").binds);
  EXPECT_NEAR(at(plan, "N") / free_params, 1, 1e-9);
  request.memory_bytes = free_params / 10;
  plan = make_plan(request);
  EXPECT_TRUE(budget(plan, "memory_bytes").binds);
  EXPECT_TRUE(budget(plan, "compute").binds);  // the rest goes into data
  EXPECT_NEAR(at(plan, "N") * at(plan, "P_w") / 8 / request.memory_bytes, 1, 1e-9);
  EXPECT_LT(budget(plan, "memory_bytes").loss_per_percent, 0);
}

TEST(Answer, AKvCacheTakesRoomAndIsSaidToBeAnEstimate) {
  PlanRequest request;
  request.compute = 1e22, request.memory_bytes = 1e9;
  const double without = at(make_plan(request), "N");
  request.context = 32768;
  const Plan estimated = make_plan(request);
  EXPECT_LT(at(estimated, "N"), without);
  EXPECT_TRUE(notes_say(estimated, "is an estimate"));
  EXPECT_NEAR(at(estimated, "memory_bytes") / 1e9, 1, 1e-9);
  request.layers = 32, request.kv_width = 1024;
  const Plan shaped = make_plan(request);
  EXPECT_FALSE(notes_say(shaped, "is an estimate"));
  EXPECT_NEAR(at(shaped, "memory_bytes") / 1e9, 1, 1e-9);
}

TEST(Answer, QuantizingAfterwardsIsChosenWhereMemoryIsShort) {
  PlanRequest request;
  request.free = {"N", "D", "P_post"}, request.compute = 1e21;
  EXPECT_FALSE(make_plan(request).optimum->post_bits);  // nothing to be had for it
  request.memory_bytes = 1e9;
  const Plan plan = make_plan(request);
  EXPECT_LT(at(plan, "P_post"), 16);
  EXPECT_GT(at(plan, "delta"), 0);
  request.integer_bits = true;
  const Plan whole = make_plan(request);
  EXPECT_EQ(at(whole, "P_post"), std::round(at(whole, "P_post")));
  EXPECT_NEAR(at(whole, "P_post"), at(plan, "P_post"), 1);
  EXPECT_GE(at(whole, "loss"), at(plan, "loss"));
}

// With N and P_post to choose, nothing but memory, and D as good as it gets, this is the paper's
// plan for inference; its model counts in full, where a BF16 model's f(16) is 0.99.
TEST(Answer, MemoryAloneIsTheInferencePlan) {
  PlanRequest request;
  request.inference_budget = 8e10;
  const Plan served = make_plan(request);
  request = PlanRequest();
  request.free = {"N", "D", "P_post"}, request.memory_bytes = 1e10;
  request.memory_counts = "weights";
  const Plan plan = make_plan(request);
  EXPECT_NEAR(at(plan, "P_post"), at(served, "P_post"), 0.05);
  EXPECT_NEAR(at(plan, "N") / at(served, "N"), 1, 0.01);
  EXPECT_TRUE(std::isfinite(at(plan, "D")));
}

TEST(Answer, SensitivitiesAreThoseOfTheClosedForms) {
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(request);
  const auto of = [&](const char* constant) { return plan.sensitivity.at(constant); };
  const auto moves = [&](const char* constant) { return of(constant).per_percent.value(); };
  // N* ~ A^(1/(alpha+beta)), D* its inverse, alpha = beta = .4965; half a per cent to either side of
  // a power is that power to a part in 1e5.
  EXPECT_NEAR(moves("A").log_params, 0.01 / 0.993, 1e-6);
  EXPECT_NEAR(moves("A").log_tokens, -0.01 / 0.993, 1e-6);
  EXPECT_NEAR(moves("B").log_params, -0.01 / 0.993, 1e-6);
  EXPECT_EQ(moves("A").bits_weights, 0);  // A does not enter P*
  EXPECT_NEAR(moves("E").loss, 0.01 * 2.7648, 1e-12);
  EXPECT_GT(moves("gamma_w").bits_weights, 0);
  EXPECT_EQ(moves("C_T").loss, 0);  // nothing is quantized afterwards
  EXPECT_EQ(of("A").standard_error, 0);
  EXPECT_NE(plan_text(plan).find("1 % more of"), std::string::npos);
}

// Draws that differ in A alone move the answer as that many per cent of A do.
TEST(Answer, StandardErrorsMoveTheAnswerAsTheDrawsDo) {
  PlanRequest request;
  request.compute = 1e21;
  Json fit = fit_with_draws(400);
  const Law& law = *find_law("kumar");
  const int of_a = parameter_index(law, "A");
  for (Json& draw : fit["draws"]["values"]) {
    for (size_t i = 0; i < draw.size(); ++i) {
      if (static_cast<int>(i) != of_a) draw[i] = law.constants[0].values[i];
    }
  }
  const Plan plan = make_plan(request, fit);
  const PlanSensitivity& a = plan.sensitivity.at("A");
  const double error = a.standard_error, value = a.value;
  EXPECT_NEAR(error / value, 0.03, 0.005);  // 400 draws know a deviation to 1/sqrt(800)
  const double ratio = a.per_standard_error.value().log_params / a.per_percent.value().log_params;
  EXPECT_NEAR(ratio, 100 * error / value, 0.05 * 100 * error / value);
  EXPECT_FALSE(plan.sensitivity.at("B").per_standard_error);  // known without error
}

// However uncertain a constant is, it moves the answer no further than the draws' answers spread. A
// derivative times its standard error would promise any number.
TEST(Answer, AnUncertainConstantMovesTheAnswerWithinItsSpread) {
  PlanRequest request;
  request.compute = 1e21;
  Json fit = fit_with_draws(100);
  const int of_a = parameter_index(*find_law("kumar"), "A");
  for (size_t k = 0; k < fit["draws"]["values"].size(); ++k)
    fit["draws"]["values"][k][static_cast<size_t>(of_a)] = std::pow(10.0, 1 + 0.12 * k);
  const Plan plan = make_plan(request, fit);
  const PlanSensitivity& a = plan.sensitivity.at("A");
  EXPECT_GT(a.standard_error, 100 * a.value);
  const PlanInterval& loss = plan.intervals.value().at("loss");
  const PlanInterval& size = plan.intervals->at("N");
  EXPECT_LT(std::fabs(a.per_standard_error.value().loss), loss.high - loss.low);
  EXPECT_LT(std::fabs(a.per_standard_error->log_params), std::log(size.high / size.low));
}

TEST(Answer, EveryNumberHasAnInterval) {
  PlanRequest request;
  request.compute = 1e21, request.memory_bytes = 1e9, request.serve_tokens = 1e11;
  const Plan plan = make_plan(request, fit_with_draws(100));
  // (D is not among them: with N P held by the memory and a linear cost, the budget fixes D.)
  for (const char* name : {"N", "tokens_per_param", "P_w", "N_eff", "loss"}) {
    ASSERT_TRUE(plan.intervals.value().contains(name)) << name;
    const PlanInterval& range = plan.intervals->at(name);
    EXPECT_LT(range.low, at(plan, name)) << name;
    EXPECT_GT(range.high, at(plan, name)) << name;
  }
}

TEST(Answer, AChoiceFromAListHasShares) {
  PlanRequest request;
  request.compute = 1e21, request.integer_bits = true;
  const Plan plan = make_plan(request, fit_with_draws(200));
  EXPECT_EQ(at(plan, "P_w"), 7);
  double all = 0;
  for (const auto& [label, share] : plan.choices) all += share;
  EXPECT_NEAR(all, 1, 1e-12);
  EXPECT_GT(plan.choices.at("7 bits"), 0.5);
  EXPECT_NE(plan_text(plan).find("7 bits in"), std::string::npos);
}

// At the memory where quantizing afterwards is just worth it, half a per cent of some constant tips
// the choice. P_post is a number on one side alone then, so that it has no change.
TEST(Answer, AChoiceThatTipsIsNoChangeOfBits) {
  PlanRequest request;
  request.free = {"N", "D", "P_post"}, request.compute = 1e21, request.integer_bits = true;
  const auto quantizes = [&](double memory_bytes) {
    request.memory_bytes = memory_bytes;
    return make_plan(request).optimum.value().post_bits.has_value();
  };
  double low = 1e9, high = 1e11;
  ASSERT_TRUE(quantizes(low) && !quantizes(high));
  while (high / low > 1.0001) {
    const double middle = std::sqrt(low * high);
    (quantizes(middle) ? low : high) = middle;
  }
  for (const double memory_bytes : {low, high}) {
    request.memory_bytes = memory_bytes;
    for (const auto& [constant, each] : make_plan(request).sensitivity) {
      const PlanMoves moves = each.per_percent.value_or(PlanMoves());
      EXPECT_LE(std::fabs(moves.post_bits), 16) << constant;
      EXPECT_LE(std::fabs(moves.loss), 0.1) << constant;  // of a loss of about 2.4
    }
  }
}

// 400 draws and 19 sensitivities: what planning costs, in evaluations of the law (each well under a
// microsecond).
TEST(Answer, DrawsCostFewEvaluations) {
  const Json fit = fit_with_draws(400);
  PlanRequest request;
  request.compute = 1e21;
  EXPECT_LT(make_plan(request, fit).evaluations, 10000);  // closed forms
  request.serve_tokens = 1e12, request.memory_bytes = 1e9;
  EXPECT_LT(make_plan(request).evaluations, 10000);
  EXPECT_LT(make_plan(request, fit).evaluations, 100000);
  request.tied = false;
  EXPECT_LT(make_plan(request).evaluations, 25000);
}

// Whatever a fit's document says, there is an answer or a sentence, soon.
TEST(Answer, AnyConstantsGiveAnAnswerOrASentence) {
  const Law& law = *find_law("kumar");
  std::vector<PlanRequest> requests(3);
  for (PlanRequest& request : requests) request.compute = 1e21;
  requests[1].memory_bytes = 1e9, requests[1].serve_tokens = 1e12;
  requests[2].free = {"N", "D", "P_post"}, requests[2].memory_bytes = 1e9;
  for (const Parameter& parameter : law.parameters) {
    for (const double value : {0.0, -1.0, 1e300, -1e300, 1e-300, 30.0}) {
      Json fit = fit_with_draws(0);
      fit["parameters"][parameter.name]["value"] = value;
      for (const PlanRequest& request : requests) {
        const Plan plan = make_plan(request, fit);
        EXPECT_FALSE(plan_text(plan).empty());
        EXPECT_LT(plan.evaluations, 2000000) << parameter.name << " " << value;
      }
    }
  }
}

TEST(Answer, APrecisionAtWhichTrainingFailsIsSaidToFail) {
  PlanRequest request;
  request.free = {"D", "P"}, request.params = 70e9, request.compute = 1e24;
  EXPECT_FALSE(notes_say(make_plan(request), "training fails"));
  request.memory_bytes = 24e9;  // 2.7 bits
  const Plan plan = make_plan(request);
  EXPECT_TRUE(notes_say(plan, "training fails at these bits"));
  EXPECT_NE(plan_text(plan).find("e+"), std::string::npos);  // an absurd loss, but a short one
}

TEST(Answer, LessThanOneParameterOrTokenIsSaidToBeNoModel) {
  PlanRequest request;
  request.free = {"N", "D", "P"}, request.compute = 3;
  EXPECT_TRUE(notes_say(make_plan(request), "No such model exists"));
  request.compute = 1e21;
  EXPECT_FALSE(notes_say(make_plan(request), "No such model exists"));
  request.free = {"N", "D"}, request.bits = {2};
  EXPECT_TRUE(notes_say(make_plan(request), "No such model exists"));
}

TEST(Answer, FormatsByName) {
  PlanRequest request;
  request.compute = 1e21, request.formats = {"e2m1", "e4m3", "BF16"};
  const Plan plan = make_plan(request);
  EXPECT_EQ(plan.optimum.value().precision, "e4m3");
  EXPECT_EQ(at(plan, "P_a"), 8);
  request.free = {"N", "D"}, request.formats = {}, request.precision = "W4A8";
  EXPECT_EQ(at(make_plan(request), "P_w"), 4);
  EXPECT_EQ(at(make_plan(request), "P_a"), 8);
  EXPECT_EQ(at(make_plan(request), "P_kv"), 16);
}

TEST(Answer, RequestsThatCannotBeMetGetOneSentence) {
  const auto with = [](auto change) {
    PlanRequest request;
    request.compute = 1e21;
    change(request);
    const std::string error = error_of(request);
    EXPECT_EQ(error.find('\n'), std::string::npos);
    return error;
  };
  const auto says = [](const std::string& error, const char* part) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  says(with([](auto& r) { r.gpu_hours = 100; }), "name one, for example h100");
  says(with([](auto& r) { r.gpu_hours = 100, r.device = "h10O"; }), "did you mean 'H100'?");
  says(with([](auto& r) { r.device = "h100"; }), "gpu_hours: give the hours");
  says(with([](auto& r) { r.utilisation = 40; }), "utilisation: 40");
  says(with([](auto& r) { r.memory_bytes = -5; }), "memory_bytes: -5");
  says(with([](auto& r) { r.context = 100; }), "give memory_bytes");
  says(with([](auto& r) { r.layers = 3; }), "layers and kv_width together");
  says(with([](auto& r) { r.kv_share = 2; }), "kv_share: 2");
  says(with([](auto& r) { r.formats = {"fast"}; }), "fast is not a precision");
  says(with([](auto& r) { r.free = {"N", "D"}, r.precision = "fast"; }), "fast is not a precision");
  says(with([](auto& r) {
         r.free = {"N", "D"}, r.precision = "W4A4", r.bits = {4};
       }),
       "either a name, or bits");
  says(with([](auto& r) { r.compute = 0, r.memory_bytes = 1e9; }), "compute: give a training");
  says(with([](auto& r) { r.compute = 0, r.serve_tokens = 1e9; }), "compute or gpu_hours");
  // Budgets that contradict each other.
  says(with([](auto& r) {
         r.memory_bytes = 1e9, r.context = 1e6, r.layers = 32, r.kv_width = 4096;
       }),
       "is too little for a model of any size");
  says(with([](auto& r) {
         r.free = {"D", "P"}, r.params = 1e12, r.memory_bytes = 1e9;
       }),
       "is too little for 1 T parameters");
  says(with([](auto& r) {
         r.free = {"D", "P"}, r.params = 1e9, r.serve_tokens = 1e14;
       }),
       "serving 100 T tokens alone costs more");
  says(with([](auto& r) {
         r.law = "chinchilla", r.free = {"N", "D", "P_post"};
       }),
       "P_post cannot be chosen");
}

}  // namespace
}  // namespace bitlaw
