#include "fit/reference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "fit/fit.h"

namespace bitlaw {
namespace {

// A parameter at W4A4 is worth half of one in a run of class `reference`.
std::vector<Observation> rows_with(const std::string& reference) {
  std::vector<Observation> rows;
  for (const double params : {1e7, 3e7, 1e8, 3e8}) {
    for (const double tokens : {2e8, 1e9, 5e9, 2e10}) {
      for (const double share : {1.0, 0.5}) {
        Observation row;
        row.params = params, row.tokens = tokens;
        row.precision = share == 1 ? reference : "W4A4";
        if (share < 1) row.bits_weights = row.bits_activations = 4;
        row.loss_nats =
            1.69 + 406.4 / std::pow(params * share, 0.34) + 410.7 / std::pow(tokens, 0.28);
        rows.push_back(row);
      }
    }
  }
  return rows;
}

FitOptions quick() {
  FitOptions options;
  options.law = "quest";
  options.draws = 0, options.hold_out = false, options.starts = 16;
  return options;
}

double value_of(const Fit& fit, const std::string& name) {
  for (const FittedParameter& p : fit.parameters) {
    if (p.name == name) return p.value;
  }
  return kUnknown;
}

TEST(Reference, ATableThatNeverMeetsItIsRefused) {
  EXPECT_NEAR(value_of(fit_law(rows_with("BF16"), quick()), "eff[W4A4]"), 0.5, 1e-3);
  try {
    fit_law(rows_with("baseline"), quick());
    FAIL() << "fitted without a reference";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "quest: eff of a class is relative to runs that are not quantized (bf16, fp16, "
                 "32-true), and no row has such a precision: the classes are W4A4, baseline; name "
                 "the one that is not quantized with --reference, or freeze a constant of a class");
  }
  FitOptions frozen = quick();
  frozen.freeze = {"eff[baseline]=1"};
  EXPECT_NEAR(value_of(fit_law(rows_with("baseline"), frozen), "eff[W4A4]"), 0.5, 1e-3);
}

TEST(Reference, OnlyLawsWithAConstantForEachClassNeedIt) {
  FitOptions options = quick();
  options.law = "chinchilla";
  EXPECT_NO_THROW(fit_law(rows_with("baseline"), options));
}

TEST(Reference, TheBitsOfTheClassesAreKeptWithTheFit) {
  std::vector<Observation> rows = rows_with("BF16");
  Fit fit = fit_law(rows, quick());
  fit.classes.reference = "baseline";
  const Fit again = fit_from_json(fit_to_json(fit), "fit.json");
  EXPECT_EQ(again.classes.reference, "baseline");
  ASSERT_NE(again.classes.find("W4A4"), nullptr);
  EXPECT_EQ(again.classes.find("W4A4")->weights, 4);
  EXPECT_EQ(again.classes.find("W4A4")->kv, 16);
  ASSERT_NE(again.classes.find(""), nullptr);
  EXPECT_EQ(again.classes.find("")->weights, 16);

  rows[1].bits_kv = 8;
  EXPECT_EQ(classes_of(rows).find("W4A4"), nullptr) << "its rows differ in bits";
}

}  // namespace
}  // namespace bitlaw
