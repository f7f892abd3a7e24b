// A law made from a formula is fitted as a compiled one: spelled alike, it ends at the same constants.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "fit/fit.h"
#include "laws/bind.h"
#include "predict/constants.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

FitOptions careful() {
  FitOptions options;
  options.starts = 48;
  options.draws = 0;
  options.hold_out = false;
  options.objective = "least-squares";
  return options;
}

LawFormula formula_like(const std::string& name) {
  const std::string chinchilla = "E + A/N^alpha + B/D^beta";
  if (name == "chinchilla") return {.formula = chinchilla};
  if (name == "kumar") {
    return {.formula =
                "E + A/(N*(1-exp(-P_w/gamma_w+n_w))*(1-exp(-P_a/gamma_a+n_a))*"
                "(1-exp(-P_kv/gamma_kv+n_kv)))^alpha + B/D^beta"};
  }
  return {.formula = chinchilla +
                     " + D^gamma_D/N^gamma_N*(k_w*exp(-P_w/gamma_w) + k_a*exp(-P_a/gamma_a) + "
                     "k_kv*exp(-P_kv/gamma_kv))"};
}

TEST(FormulaFit, EndsWhereTheCompiledLawEnds) {
  StudyShape shape;
  shape.post = {};
  const std::vector<Observation> rows = simulate(shape);
  for (const char* name : {"chinchilla", "kumar", "additive-exp"}) {
    const Fit compiled = fit_law(law_named(name), rows, careful());
    const BoundLaw law = formula_law(formula_like(name));
    const Fit made = fit_law(law.law(), rows, careful());
    EXPECT_TRUE(made.converged()) << name;
    EXPECT_NEAR(made.training.objective / compiled.training.objective, 1, 1e-9) << name;
    EXPECT_NEAR(made.training.r2, compiled.training.r2, 1e-9) << name;
    for (const FittedParameter& p : made.parameters) {
      const int at = parameter_index(law_named(name), p.name);
      ASSERT_GE(at, 0) << p.name;
      const double other = compiled.parameters[static_cast<size_t>(at)].value;
      // A minimum is known to the root of the rounding of the objective, over its curvature.
      EXPECT_NEAR(p.value, other, 1e-6 * std::fabs(other)) << name << " " << p.name;
    }
  }
}

// A formula of the weights' bits says nothing of other parts, nor does one without bits.
TEST(FormulaFit, DerivesNothingOfPartsThatItLacks) {
  StudyShape shape;
  shape.post = {};
  const std::vector<Observation> rows = simulate(shape);
  const auto names = [&](const LawFormula& formula) {
    std::string out;
    const BoundLaw law = formula_law(formula);
    for (const Derived& each : fit_law(law.law(), rows, careful()).derived) out += each.name + "; ";
    return out;
  };
  const std::string weights =
      names({.formula = "E + A/(N*(1-exp(-P_w/gamma_w+n_w)))^alpha + B/D^beta"});
  EXPECT_NE(weights.find("N_eff/N at P_w = 3"), std::string::npos) << weights;
  EXPECT_NE(weights.find("P* (weights)"), std::string::npos) << weights;
  for (const char* absent : {"P_a", "P_kv", "activations", "KV"})
    EXPECT_EQ(weights.find(absent), std::string::npos) << weights;
  EXPECT_EQ(names({.formula = "E + A/N^alpha + B/D^beta"}).find('P'), std::string::npos);
}

TEST(FormulaFit, FindsTheConstantsOfAnInputOfItsOwn) {
  const BoundLaw law = formula_law({.name = "moe",
                                    .formula = "E + A/N^alpha + B/D^beta*exp(-k*experts)",
                                    .constants = parse_law_constants("k=0..2", "constants"),
                                    .inputs = parse_law_inputs("experts=num_experts", "inputs")});
  const std::vector<double> truth{1.8, 300, 0.34, 900, 0.33, 0.05};
  std::vector<Observation> rows;
  for (const double n : {1e7, 3e7, 1e8, 3e8}) {
    for (const double d : {1e9, 4e9, 16e9}) {
      for (const double experts : {1.0, 4.0, 16.0}) {
        Observation run;
        run.params = n, run.tokens = d;
        run.inputs = {{"num_experts", experts}};
        run.loss_nats = predict(law.law(), truth.data(), run);
        rows.push_back(run);
      }
    }
  }
  const Fit fit = fit_law(law.law(), rows, careful());
  for (size_t i = 0; i < truth.size(); ++i)
    EXPECT_NEAR(fit.parameters[i].value / truth[i], 1, 1e-5) << fit.parameters[i].name;

  // One value of the input tells nothing of its constant, and nothing was published for it to stay at.
  for (Observation& row : rows) row.inputs[0].value = 4;
  try {
    fit_law(law.law(), rows, careful());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(
        std::string(error.what()).find("k cannot be fitted: the rows have 1 values of num_experts"),
        std::string::npos)
        << error.what();
  }
  rows[3].inputs.clear();
  EXPECT_THROW(fit_law(law.law(), rows, careful()), Error);
}

TEST(FormulaFit, ANumberStaysWhatItIs) {
  StudyShape shape;
  shape.post = {};
  const BoundLaw law = formula_law({.formula = "E + A/N^alpha + B/D^beta",
                                    .constants = parse_law_constants("alpha=0.5", "constants")});
  const Fit fit = fit_law(law.law(), simulate(shape), careful());
  EXPECT_EQ(fit.parameters[2].value, 0.5);
  EXPECT_NE(fit.parameters[2].frozen, "");
  EXPECT_EQ(fit.training.free, 4);
}

TEST(FormulaFit, ADocumentPredictsTheSameBits) {
  StudyShape shape;
  const std::vector<Observation> rows = simulate(shape);
  const BoundLaw law = formula_law({.name = "ours",
                                    .formula = formula_like("additive-exp").formula,
                                    .delta = "C_T*exp(-P_post/gamma_post)*D^gamma_D/N^gamma_N",
                                    .constants = {}});
  FitOptions options = careful();
  options.draws = 20;
  const Fit fit = fit_law(law.law(), rows, options);
  const Json document = parse_json(dump_json(fit_to_json(fit)), "there");
  EXPECT_EQ(dump_json(fit_to_json(fit_from_json(document, "there"))), dump_json(document));
  Constants constants;
  ASSERT_EQ(read_constants("", "", document, constants), "");
  EXPECT_STREQ(constants.law->name, "ours");
  EXPECT_EQ(constants.draws, fit.draws);
  for (const Observation& row : rows) {
    EXPECT_EQ(predict(*constants.law, constants.values.data(), row),
              predict(law.law(), fit.values().data(), row));
  }
  Json broken = document;
  broken["formula"]["formula"] = "E + A/N^alhpa";
  EXPECT_NE(read_constants("", "", broken, constants).find("alhpa"), std::string::npos);
  EXPECT_THROW(fit_from_json(broken, "there"), Error);
}

// A formula that no start makes finite is no fit.
TEST(FormulaFit, AFormulaThatIsNotFiniteIsRefusedWithItsRow) {
  const BoundLaw law = formula_law({.name = "odd", .formula = "E + log(N - 1e8)"});
  std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}});
  try {
    fit_law(law.law(), rows, careful());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("no start gave a finite loss"), std::string::npos)
        << error.what();
  }
}

// A continuous input has no grid of next runs: the fit gives no hint, and is not lost.
TEST(FormulaFit, AContinuousInputDoesNotLoseAnIllConditionedFit) {
  const BoundLaw law =
      formula_law({.name = "rate",
                   .formula = "E + A/N^alpha + k*x + q*y",
                   .constants = parse_law_constants("k=-1..1,q=-1..1", "constants"),
                   .inputs = parse_law_inputs("x=x,y=y", "inputs")});
  std::vector<Observation> rows;
  for (int i = 0; i < 120; ++i) {
    Observation run;
    run.params = 1e6 * (1 + i), run.tokens = 1e9;
    const double x = std::sin(i), y = x + 1e-6 * std::cos(7 * i);  // hardly apart
    run.inputs = {{"x", x}, {"y", y}};
    run.loss_nats = 2 + 400 / std::pow(run.params, 0.35) + 0.1 * x;
    rows.push_back(run);
  }
  EXPECT_GT(fit_law(law.law(), rows, careful()).training.condition, 1000);
}

}  // namespace
}  // namespace bitlaw
