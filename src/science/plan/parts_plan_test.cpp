// Plans with bits of keys, values, embeddings and head of their own.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "laws/registry.h"
#include "plan/frontier.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

// The law that has a factor for every part, at its starting constants as if they were a fit.
Json fit_of_parts() {
  const Law& law = *find_law("kumar-parts");
  Json out{{"law", law.name}, {"points", 100}};
  for (size_t i = 0; i < law.parameters.size(); ++i)
    out["parameters"][law.parameters[i].name] = {{"value", law.constants[0].values[i]}};
  return out;
}

PlanRequest of_model() {
  PlanRequest request;
  request.params = 1e9, request.tokens = 2e10;
  request.bits = {4, 8, 16};
  return request;
}

std::string words(const Plan& plan) {
  return fmt::format("{}", fmt::join(plan.notes, " "));
}

TEST(PartsPlan, TheLossIsThatOfTheLawAtThesePartsBits) {
  PlanRequest request = of_model();
  request.key_bits = 8, request.value_bits = 4, request.embedding_bits = 6;
  const Plan plan = make_plan(request, fit_of_parts());
  ASSERT_EQ(plan.error, "");
  Observation run;
  run.params = 1e9, run.tokens = 2e10;
  run.bits_weights = 4, run.bits_activations = 8;
  run.bits_keys = 8, run.bits_values = 4, run.bits_embedding = 6;
  const Law& law = *find_law("kumar-parts");
  EXPECT_NEAR(*plan.optimum->loss, predict(law, law.constants[0].values.data(), run), 1e-12);
  EXPECT_EQ(plan.optimum->bits_kv, 6);
  EXPECT_NE(words(plan).find("Keys at 8 bits and values at 4"), std::string::npos) << words(plan);
}

TEST(PartsPlan, TheCacheAndTheComputeAreThoseOfTheMean) {
  PlanRequest apart = of_model(), together = of_model();
  apart.key_bits = 8, apart.value_bits = 4;
  together.bits = {4, 8, 6};
  for (PlanRequest* each : {&apart, &together}) each->memory_bytes = 80e9, each->context = 4096;
  const Plan a = make_plan(apart, fit_of_parts()), b = make_plan(together, fit_of_parts());
  ASSERT_EQ(a.error, "");
  ASSERT_EQ(b.error, "");
  EXPECT_EQ(a.optimum->kv_bytes, b.optimum->kv_bytes);
  EXPECT_EQ(a.optimum->find("compute"), b.optimum->find("compute"));
  EXPECT_NE(*a.optimum->loss, *b.optimum->loss);
}

TEST(PartsPlan, ALawThatCannotTellKeysFromValuesSaysSo) {
  PlanRequest request = of_model();
  request.law = "kumar", request.key_bits = 8, request.value_bits = 4;
  const Plan plan = make_plan(request);
  ASSERT_EQ(plan.error, "");
  EXPECT_NE(words(plan).find("does not tell keys from values"), std::string::npos) << words(plan);
  request.embedding_bits = 4;
  EXPECT_NE(make_plan(request).error.find("embedding_bits: kumar has no factor"),
            std::string::npos);
}

TEST(PartsPlan, AFrontierSaysHowKeysAndValuesCount) {
  PlanRequest request;
  request.frontier = "bytes=1e8..1e9", request.tokens = 1e10, request.key_bits = 8;
  const Frontiers made = make_frontiers(request, {}, nullptr);
  ASSERT_EQ(made.error, "");
  const std::string notes = fmt::format("{}", fmt::join(made.laws.front().notes, " "));
  EXPECT_NE(notes.find("both count at their mean, P_kv = 12"), std::string::npos) << notes;
}

TEST(PartsPlan, ModelsTrainedAt16BitsHaveNoPartsOfTheirOwn) {
  PlanRequest critical;
  critical.critical_data = true, critical.params = 3e7, critical.bits = {3, 4};
  critical.key_bits = 4;
  EXPECT_EQ(make_plan(critical).error.find("key_bits: the answer is of models trained at 16 bits"),
            0)
      << make_plan(critical).error;
  PlanRequest serving;
  serving.inference_budget = 1e9, serving.head_bits = 4;
  EXPECT_EQ(make_plan(serving).error.find("head_bits: the answer is of models"), 0)
      << make_plan(serving).error;
}

TEST(PartsPlan, WhatIsFreeIsNotGiven) {
  PlanRequest request;
  request.compute = 1e20, request.key_bits = 8;
  EXPECT_NE(make_plan(request, fit_of_parts()).error.find("keys and values are free"),
            std::string::npos);
  request.free = {"N", "D", "P_w"};
  const Plan plan = make_plan(request, fit_of_parts());
  ASSERT_EQ(plan.error, "");
  EXPECT_EQ(plan.optimum->bits_kv, 12);
  request.precision = "W4A4", request.free = {};
  EXPECT_NE(make_plan(request, fit_of_parts()).error.find("key_bits: the precision W4A4"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
