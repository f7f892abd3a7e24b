// quest-optimizer: an optimizer's share and its rho at a precision multiply the parameters.
#include <gtest/gtest.h>

#include <cmath>

#include "laws/bind.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

Observation run_with(const char* optimizer, double bits) {
  Observation run;
  run.params = 2e8, run.tokens = 4e9;
  run.bits_weights = run.bits_activations = bits;
  run.optimizer = optimizer_class(optimizer);
  return run;
}

double at(const BoundLaw& bound, const char* constant) {
  const int place = parameter_index(bound.law(), constant);
  return place < 0 ? kUnknown : bound.law().constants[0].values[static_cast<size_t>(place)];
}

TEST(QuestOptimizer, SharesMultiplyTheParameters) {
  const std::vector<Observation> rows{run_with("AdamW", 16), run_with("AdamW", 4),
                                      run_with("Muon", 16), run_with("Muon", 4),
                                      run_with("Shampoo", 4)};
  const BoundLaw bound = bind_law(law_named("quest-optimizer"), rows);
  std::vector<double> p(bound.law().constants[0].values.begin(),
                        bound.law().constants[0].values.end());
  const auto set = [&](const char* name, double value) {
    const int place = parameter_index(bound.law(), name);
    ASSERT_GE(place, 0) << name;
    p[static_cast<size_t>(place)] = value;
  };
  set("share[muon]", 1.25), set("share[shampoo]", 1.1);
  set("rho[W4A4]", 0.8), set("rho[W4A4@muon]", 0.7), set("rho[W4A4@shampoo]", 0.9);
  const double worth[] = {1, 0.8, 1.25, 1.25 * 0.7, 1.1 * 0.9};
  for (size_t i = 0; i < rows.size(); ++i) {
    Observation plain = run_with("", 16);
    plain.params *= worth[i];
    const double expected = predict(bound.law(), p.data(), plain);
    EXPECT_NEAR(predict(bound.law(), p.data(), rows[i]), expected, 1e-13 * expected) << i;
  }
  // A class that the law was not bound to has no number.
  EXPECT_TRUE(std::isnan(predict(bound.law(), p.data(), run_with("SOAP", 16))));
}

// Known from notes on the paper; they are where fits start.
TEST(QuestOptimizer, StartsFromTheQuotedShares) {
  std::vector<Observation> rows;
  for (const char* name : {"adamw", "muon", "psgd", "scion", "shampoo", "soap"})
    rows.push_back(run_with(name, 4));
  const BoundLaw bound = bind_law(law_named("quest-optimizer"), rows);
  EXPECT_EQ(at(bound, "rho[W4A4]"), 0.863);
  EXPECT_EQ(at(bound, "rho[W4A4@muon]"), 0.852);
  EXPECT_EQ(at(bound, "rho[W4A4@psgd]"), 0.739);
  EXPECT_EQ(at(bound, "rho[W4A4@scion]"), 0.856);
  EXPECT_EQ(at(bound, "rho[W4A4@shampoo]"), 0.879);
  EXPECT_EQ(at(bound, "rho[W4A4@soap]"), 0.822);
  EXPECT_FALSE(bound.law().constants[0].is_published());
}

TEST(QuestOptimizer, NamesOfOptimizers) {
  for (const char* reference : {"", "AdamW", " adamw ", "adamw_torch", "adamw_torch_fused"})
    EXPECT_EQ(optimizer_class(reference), "") << reference;
  EXPECT_EQ(optimizer_class("Muon"), "muon");
  EXPECT_EQ(optimizer_class("adam"), "adam");
}

}  // namespace
}  // namespace bitlaw
