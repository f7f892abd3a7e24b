// quest-optimizer fitted to simulated runs of two optimizers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "fit/fit.h"
#include "table/table.h"

namespace bitlaw {
namespace {

// Muon's parameters are worth 1.3 of AdamW's; 4 bits leave .7 of AdamW's and .55 of Muon's.
std::vector<Observation> runs_of(const std::string& reference, const std::string& other) {
  std::vector<Observation> rows;
  for (const double params : {1e7, 3e7, 1e8, 3e8}) {
    for (const double tokens : {2e8, 1e9, 5e9, 2e10}) {
      for (const bool is_other : {false, true}) {
        for (const bool quantized : {false, true}) {
          const double worth = (is_other ? 1.3 : 1) * (!quantized ? 1 : is_other ? 0.55 : 0.7);
          Observation row;
          row.params = params, row.tokens = tokens;
          row.optimizer = is_other ? other : reference;
          if (quantized) row.bits_weights = row.bits_activations = 4;
          row.loss_nats =
              1.69 + 406.4 / std::pow(params * worth, 0.34) + 410.7 / std::pow(tokens, 0.28);
          rows.push_back(row);
        }
      }
    }
  }
  return rows;
}

FitOptions of_optimizers() {
  FitOptions options;
  options.law = "quest-optimizer";
  options.draws = 0, options.hold_out = false, options.starts = 16;
  return options;
}

double found(const Fit& fit, const std::string& name) {
  for (const FittedParameter& p : fit.parameters) {
    if (p.name == name) return p.value;
  }
  return kUnknown;
}

TEST(OptimizerFit, FindsTheSharesThatMadeTheRuns) {
  const Fit fit = fit_law(runs_of("", "muon"), of_optimizers());
  EXPECT_NEAR(found(fit, "share[muon]"), 1.3, 2e-3);
  EXPECT_NEAR(found(fit, "rho[W4A4]"), 0.7, 1e-3);
  EXPECT_NEAR(found(fit, "rho[W4A4@muon]"), 0.55, 1e-3);
  EXPECT_NEAR(found(fit, "alpha"), 0.34, 1e-3);
}

// Without a row of the optimizer whose share is 1, A and the shares are one constant.
TEST(OptimizerFit, WithoutAdamWAnotherOptimizerIsNamed) {
  const std::vector<Observation> rows = runs_of("muon", "soap");
  try {
    fit_law(rows, of_optimizers());
    FAIL() << "fitted without a reference";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "quest-optimizer: share of an optimizer is relative to AdamW, and no row has it: "
                 "the optimizers are muon, soap; freeze the one that the others are held against, "
                 "as in --freeze 'share[muon]=1'");
  }
  FitOptions frozen = of_optimizers();
  frozen.freeze = {"share[muon]=1"};
  const Fit fit = fit_law(rows, frozen);
  EXPECT_NEAR(found(fit, "share[soap]"), 1.3, 2e-3);
  EXPECT_NEAR(found(fit, "rho[W4A4@muon]"), 0.7, 1e-3);
  EXPECT_NEAR(found(fit, "rho[W4A4@soap]"), 0.55, 1e-3);
}

// Other laws are not fitted to two optimizers as if they were one.
TEST(OptimizerFit, OnlyThisLawMayHaveRowsThatDifferInTheOptimizer) {
  const std::string text =
      "N,D,P_w,P_a,optimizer,loss\n"
      "1e7,1e9,16,16,AdamW,4.0\n1e7,1e9,16,16,Muon,3.9\n3e7,1e9,4,4,Muon,3.8\n";
  EXPECT_THROW(read_table(text, "t.csv"), Error);
  TableOptions options;
  options.may_differ.modelled = modelled_factors(law_named("quest-optimizer"));
  const Table table = read_table(text, "t.csv", options);
  ASSERT_EQ(table.runs.size(), 3u);
  EXPECT_EQ(table.runs[0].optimizer, "");
  EXPECT_EQ(table.runs[1].optimizer, "muon");
  const std::vector<std::string> quest = modelled_factors(law_named("quest"));
  EXPECT_EQ(std::find(quest.begin(), quest.end(), "optimizer"), quest.end());
}

}  // namespace
}  // namespace bitlaw
