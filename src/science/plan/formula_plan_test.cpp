// A plan by a law made from a formula is that of the compiled law that it is spelled like.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "laws/formula_law.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

// A document as of a fit, with the published constants of a compiled law.
Json document_of(const LawFormula& formula, const char* like) {
  const Law& compiled = law_named(like);
  const BoundLaw made = formula_law(formula);
  Json out{{"law", formula.name}, {"formula", law_formula_json(formula)}, {"points", 100}};
  for (const Parameter& each : made.law().parameters) {
    const int at = parameter_index(compiled, each.name);
    EXPECT_GE(at, 0) << each.name;
    out["parameters"][each.name] = {
        {"value", compiled.constants[0].values[static_cast<size_t>(at)]}};
  }
  return out;
}

void expect_same_plan(const PlanRequest& request, const LawFormula& formula, const char* like) {
  PlanRequest of_law = request;
  of_law.law = like;
  const Plan compiled = make_plan(of_law);
  const Plan made = make_plan(request, document_of(formula, like));
  ASSERT_EQ(made.error, "");
  ASSERT_TRUE(compiled.optimum && made.optimum);
  // The compiled laws have closed forms; the search finds N to the root of the loss's rounding.
  EXPECT_NEAR(made.optimum->params / compiled.optimum->params, 1, 1e-5) << like;
  EXPECT_NEAR(made.optimum->tokens / compiled.optimum->tokens, 1, 1e-5) << like;
  EXPECT_NEAR(*made.optimum->loss / *compiled.optimum->loss, 1, 1e-10) << like;
  EXPECT_NEAR(*made.optimum->find("P_w"), *compiled.optimum->find("P_w"), 1e-4) << like;
  EXPECT_EQ(made.knows_bits, compiled.knows_bits);
}

TEST(FormulaPlan, IsThatOfTheCompiledLaw) {
  PlanRequest request;
  request.compute = 1e21;
  expect_same_plan(request, {.formula = "E + A/N^alpha + B/D^beta"}, "chinchilla");
  // Two shares below zero would have a product above it.
  const LawFormula kumar{
      .formula =
          "E + A/(N*max(1e-3, 1-exp(-P_w/gamma_w+n_w))*max(1e-3, 1-exp(-P_a/gamma_a+n_a))*"
          "max(1e-3, 1-exp(-P_kv/gamma_kv+n_kv)))^alpha + B/D^beta"};
  expect_same_plan(request, kumar, "kumar");
  request.bits = {4};
  expect_same_plan(request, kumar, "kumar");
}

// Parts that the formula lacks are not quantized for the cost alone.
TEST(FormulaPlan, PartsThatTheFormulaLacksStayAtSixteenBits) {
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(
      request,
      document_of({.formula = "E + A/(N*max(1e-3, 1-exp(-P_w/gamma_w+n_w)))^alpha + B/D^beta"},
                  "kumar"));
  ASSERT_TRUE(plan.optimum) << plan.error;
  EXPECT_LT(*plan.optimum->find("P_w"), 12);
  EXPECT_EQ(*plan.optimum->find("P_a"), 16);
  EXPECT_EQ(*plan.optimum->find("P_kv"), 16);
  EXPECT_TRUE(std::any_of(plan.notes.begin(), plan.notes.end(), [](const std::string& note) {
    return note.find("does not depend on the bits of activations, keys and values") !=
           std::string::npos;
  }));
}

// A law of C alone is as good at any N and D of a budget: none is best.
TEST(FormulaPlan, ALawOfComputeAloneHasNoBestSize) {
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(request, document_of({.formula = "E + A/C^alpha"}, "chinchilla"));
  EXPECT_NE(plan.error.find("depends on C = 6 N D alone"), std::string::npos) << plan.error;
  const LawFormula of_input{.formula = "E + A/x^alpha", .inputs = {{"x", "budget"}}};
  const Plan neither = make_plan(request, document_of(of_input, "chinchilla"));
  EXPECT_NE(neither.error.find("neither N nor D"), std::string::npos) << neither.error;
}

TEST(FormulaPlan, SaysThatBitsAreNotModelled) {
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan =
      make_plan(request, document_of({.formula = "E + A/N^alpha + B/D^beta"}, "chinchilla"));
  bool said = false;
  for (const std::string& note : plan.notes)
    said |= note.find("does not model bits") != std::string::npos;
  EXPECT_TRUE(said);
}

TEST(FormulaPlan, WhatTheLawDoesNotFeelIsNotChosen) {
  PlanRequest request;
  request.compute = 1e21;
  const Plan plan = make_plan(request, document_of({.formula = "E + A/N^alpha"}, "chinchilla"));
  EXPECT_NE(plan.error.find("does not depend on D"), std::string::npos) << plan.error;
  request.law = "clark";
  request.inputs = {"experts=64"};
  EXPECT_NE(make_plan(request).error.find("does not depend on D"), std::string::npos);
  request.inputs.clear();
  EXPECT_NE(make_plan(request).error.find("needs a value of experts"), std::string::npos);
}

TEST(FormulaPlan, InputsAreGivenByName) {
  const LawFormula formula{.formula = "E + A/N^alpha + B/D^beta*exp(-k*experts)",
                           .constants = parse_law_constants("k=0..1", "constants"),
                           .inputs = parse_law_inputs("experts=num_experts", "inputs")};
  Json document{{"law", "formula"}, {"formula", law_formula_json(formula)}, {"points", 100}};
  for (const auto& [name, value] : {std::pair{"E", 1.7},
                                    {"A", 400.0},
                                    {"alpha", 0.34},
                                    {"B", 410.0},
                                    {"beta", 0.28},
                                    {"k", 0.01}})
    document["parameters"][name] = {{"value", value}};
  PlanRequest request;
  request.compute = 1e21;
  request.inputs = {"experts=8"};
  const Plan few = make_plan(request, document);
  request.inputs = {"num_experts=64"};
  const Plan many = make_plan(request, document);
  ASSERT_EQ(few.error, "");
  ASSERT_EQ(many.error, "");
  EXPECT_LT(*many.optimum->loss, *few.optimum->loss);
  EXPECT_GT(many.optimum->params, few.optimum->params) << "data is worth more, so less of it pays";
}

}  // namespace
}  // namespace bitlaw
