#include "plan/precision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <utility>

#include "plan/plan.h"
#include "predict/model_shape.h"
#include "table/table.h"

namespace bitlaw {
namespace {

const char* const kNames[] = {"W4A16", "w4a4kv8", "W3",    "W3A16g128", "W4A4-hadamard", "4",
                              "int8",  "e2m1",    "FP4",   "fp8",       "mxfp4",         "nvfp4",
                              "mxfp6", "nf4",     "BF16",  "fp16",      "none",          "fp32",
                              "32",    "KV4",     "W2A16", "MXFP8",     "e3m2"};

PrecisionChoice choice(const std::string& name) {
  return choice_of(named_precision(name).value());
}

// What a plan of this precision says of it.
PlanOptimum planned(const std::string& name) {
  PlanRequest request;
  request.free = {"N", "D"}, request.precision = name;
  request.compute = 1e21, request.memory_bytes = 1e12;
  return make_plan(request).optimum.value();
}

// A table, a plan and the name itself say the same of every part.
TEST(Precision, TablesAndPlansReadNamesAlike) {
  for (const char* name : kNames) {
    const NamedPrecision named = named_precision(name).value();
    const std::string text = std::string("N,D,loss,precision\n1e6,1e8,3,") + name + "\n";
    const Observation run = read_table(text, "t").runs.at(0);
    EXPECT_EQ(run.bits_weights, named.weights.law_bits()) << name;
    EXPECT_EQ(run.bits_activations, named.activations.law_bits()) << name;
    EXPECT_EQ(run.bits_kv, named.kv.law_bits()) << name;
    const PlanOptimum plan = planned(name);
    EXPECT_EQ(plan.bits_weights, named.weights.bits) << name;
    EXPECT_EQ(plan.bits_activations, named.activations.bits) << name;
    EXPECT_EQ(plan.bits_kv, named.kv.bits) << name;
    const PrecisionChoice chosen = choice_of(named);
    const Bits seen = law_bits({chosen.bits, &chosen});
    EXPECT_EQ(seen, (Bits{run.bits_weights, run.bits_activations, run.bits_kv})) << name;
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    EXPECT_TRUE(same(run.exponent_bits, chosen.exponent_bits)) << name;
    EXPECT_TRUE(same(run.mantissa_bits, chosen.mantissa_bits)) << name;
  }
}

TEST(Precision, MemoryHoldsTheScalesToo) {
  for (const auto& [name, bits] : {std::pair("W3A16g128", 3.125),
                                   {"mxfp4", 4.25},
                                   {"nvfp4", 4.5},
                                   {"W4A16", 4},
                                   {"fp32", 32}}) {
    const PlanOptimum plan = planned(name);
    const double params = plan.params;
    // A name that leaves open what shares a scale has one of 16 bits for a row of the matrix.
    const double row = std::string_view(name) == "W4A16" ? 16 / ModelShape().width_of(params) : 0;
    EXPECT_NEAR(plan.memory_bytes.value() - plan.embedding_bytes.value(), params * (bits + row) / 8,
                1e-6 * params)
        << name;
    EXPECT_DOUBLE_EQ(plan.weight_bits.value(), bits + row) << name;
  }
  const PrecisionChoice mxfp4 = choice("mxfp4");
  EXPECT_EQ(storage_bits({mxfp4.bits, &mxfp4}, 3).weights, 3) << "quantized again afterwards";
  EXPECT_EQ(storage_bits({Bits::all(5)}, 0).weights, 5);
}

// By name FP32 is not quantized; as a number 32 bits are taken at their word.
TEST(Precision, FullPrecisionCostsMoreAndGainsNothing) {
  const PlanOptimum wide = planned("fp32"), half = planned("bf16");
  const auto products = [](const PlanOptimum& plan) { return plan.params * plan.tokens; };
  EXPECT_NEAR(products(half) / products(wide), 2, 1e-9);
  const PrecisionChoice fp32 = choice("fp32");
  EXPECT_EQ(law_bits({fp32.bits, &fp32}), Bits{});
  EXPECT_EQ(law_bits({Bits::all(32)}), Bits::all(32));
  PlanRequest request;
  request.free = {"N"}, request.tokens = 1e10, request.precision = "fp32", request.compute = 1e18;
  for (const std::string& note : make_plan(request).notes) {
    EXPECT_EQ(note.find("is not within"), std::string::npos) << note;
  }
}

TEST(Precision, FloatingPointFormatsHaveExponentAndMantissa) {
  for (const auto& [name, exponent, mantissa] :
       {std::tuple("e4m3", 4.0, 3.0), {"E2M1", 2, 1}, {"mxfp4", 2, 1}, {"fp8", 4, 3}}) {
    EXPECT_EQ(choice(name).exponent_bits, exponent) << name;
    EXPECT_EQ(choice(name).mantissa_bits, mantissa) << name;
  }
  for (const char* name : {"int4", "W4A4", "bf16", "fp16", "fp32"})
    EXPECT_TRUE(std::isnan(choice(name).exponent_bits)) << name;
}

}  // namespace
}  // namespace bitlaw
