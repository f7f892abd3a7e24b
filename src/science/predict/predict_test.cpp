#include "predict/predict.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "fit/fit.h"
#include "laws/bind.h"
#include "simulate/simulate_for_tests.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

Observation run(double params, double tokens, double weights = 16) {
  Observation out;
  out.params = params, out.tokens = tokens, out.bits_weights = weights;
  return out;
}

TEST(Reach, SaysHowFarARunIsOutside) {
  const std::vector<Observation> rows{run(1e6, 1e8), run(4e6, 1e9, 4)};
  const Reach reach = reach_of(rows);
  EXPECT_EQ(distance(reach, run(2e6, 5e8, 8)).size, 0);
  EXPECT_FALSE(distance(reach, run(4e6, 1e9, 4)).is_outside());
  const double twice = std::log(2.0);
  // Twice the largest N, and C = 6 N D is twice the largest, too.
  EXPECT_NEAR(distance(reach, run(8e6, 1e9)).size, std::hypot(twice, twice), 1e-12);
  EXPECT_NEAR(distance(reach, run(4e6, 1e9, 2)).bits, twice, 1e-12);
  EXPECT_EQ(words_beyond(reach, run(8e6, 1e9, 2)),
            (std::vector<std::string>{"N is 2 times their largest, 4 M",
                                      "C is 2 times their largest, 2.4e+16 FLOP",
                                      "P_w = 2 is not within their 4 to 16 bits"}));
  EXPECT_EQ(words_beyond(reach, run(1e5, 1e9)),
            (std::vector<std::string>{"N is 10 times smaller than their smallest, 1 M"}));
  EXPECT_TRUE(words_beyond(Reach{}, run(1e20, 1e20)).empty());
}

TEST(Reach, IsKeptInADocument) {
  const Reach reach = reach_of(std::vector<Observation>{run(1e6, 1e8, 3), run(4e6, 1e9)});
  const Reach back = reach_from(reach_json(reach));
  EXPECT_EQ(back.params.low, 1e6);
  EXPECT_EQ(back.compute.high, 6 * 4e6 * 1e9);
  EXPECT_EQ(back.weights.low, 3);
  EXPECT_EQ(back.classes, reach.classes);
  // Version 0.2 knew only the most, and one range of bits.
  const Reach old = reach_from(
      Json{{"least_bits", 3}, {"most_bits", 16}, {"most_params", 1e7}, {"most_tokens", 1e9}});
  EXPECT_EQ(words_beyond(old, run(2e7, 1e8)),
            (std::vector<std::string>{"N is 2 times their largest, 10 M"}));
}

// Chinchilla without any doubt about its constants, and runs that scatter by one per cent.
Constants certain(double growth) {
  Constants out;
  EXPECT_EQ(read_constants("chinchilla", "", nullptr, out), "");
  EXPECT_FALSE(out.knows_bits);
  out.published = false;
  out.draws.assign(50, out.values);
  out.reach = reach_of(std::vector<Observation>{run(1e8, 1e9), run(1e9, 1e11)});
  out.scatter.deviation = 0.01, out.scatter.growth = growth;
  for (int i = 0; i < 101; ++i) {
    out.scatter.quantiles.push_back(
        0.01 * t_quantile((i + 0.5) / 101, std::numeric_limits<double>::infinity()));
  }
  return out;
}

TEST(Predict, ARunScattersAsTheFittedOnesDo) {
  const Prediction made = predict_run(certain(0.02), run(5e8, 1e10));
  ASSERT_TRUE(made.mean && made.run);
  EXPECT_NEAR(made.mean->low, made.loss, 1e-12);
  EXPECT_NEAR(made.mean->high, made.loss, 1e-12);
  EXPECT_NEAR(std::log(made.run->high / made.loss), 1.645 * 0.01, 5e-4);
  EXPECT_NEAR(std::log(made.run->low / made.loss), -1.645 * 0.01, 5e-4);
  EXPECT_TRUE(made.beyond.empty());
}

// Ten times the largest N: log(10) beyond in N and in C.
TEST(Predict, BeyondTheFittedRunsBothIntervalsGrow) {
  const Prediction made = predict_run(certain(0.02), run(1e10, 1e11));
  const double added = 0.02 * std::hypot(std::log(10.0), std::log(10.0));
  ASSERT_TRUE(made.mean && made.run);
  EXPECT_NEAR(std::log(made.mean->high / made.loss), 1.645 * added, 2e-3);
  EXPECT_NEAR(std::log(made.run->high / made.loss), 1.645 * std::hypot(added, 0.01), 2e-3);
  EXPECT_EQ(made.beyond.size(), 2U);
}

TEST(Predict, WhereTheRowsCannotTellThereAreNoIntervals) {
  const Prediction made = predict_run(certain(kUnknown), run(1e10, 1e11));
  EXPECT_FALSE(made.mean || made.run);
  EXPECT_NE(made.problem.find("cannot tell"), std::string::npos);
  EXPECT_TRUE(predict_run(certain(kUnknown), run(5e8, 1e10)).run);
}

TEST(Predict, ARunIsNoSurerThanItsMean) {
  Constants constants = certain(0.02);
  for (double& quantile : constants.scatter.quantiles) quantile = std::fabs(quantile);  // one-sided
  const Prediction made = predict_run(constants, run(1e10, 1e11));
  EXPECT_LE(made.run->low, made.mean->low);
  EXPECT_GE(made.run->high, made.mean->high);
}

TEST(Predict, CountsParametersAsTheFitDid) {
  Constants constants = certain(0.02);
  constants.total = true;
  Observation asked = run(5e8, 1e10);
  EXPECT_NE(predict_run(constants, asked).problem.find("N_total"), std::string::npos);
  asked.params_total = 8e8;
  EXPECT_EQ(predict_run(constants, asked).loss,
            predict(*constants.law, constants.values.data(), run(8e8, 1e10)));
}

TEST(Predict, CountsParametersByFlopsAsTheFitDid) {
  Constants constants = certain(0.02);
  constants.by_compute = true;
  Observation asked = run(5e8, 1e10);
  EXPECT_NE(predict_run(constants, asked).note.find("C / (6 D)"), std::string::npos);
  EXPECT_EQ(predict_run(constants, asked).loss,
            predict(*constants.law, constants.values.data(), run(5e8, 1e10)));
  asked.compute = 6 * 8e8 * 1e10;
  EXPECT_EQ(predict_run(constants, asked).loss,
            predict(*constants.law, constants.values.data(), run(8e8, 1e10)));
  EXPECT_EQ(predict_run(constants, asked).note, "");
}

TEST(Predict, SaysWhatTheFitIsNotOf) {
  Constants constants;
  ASSERT_EQ(read_constants("kumar", "", nullptr, constants), "");
  constants.method = "gptq";
  Observation cell = run(1e8, 1e10);
  cell.bits_post = 4, cell.method = "rtn";
  EXPECT_FALSE(std::isfinite(predict_run(constants, cell).loss));
  EXPECT_NE(predict_run(constants, cell).problem.find("rtn"), std::string::npos);
  cell.method = "gptq";
  EXPECT_GT(predict_run(constants, cell).delta, 0);
  // Bits that a law does not know are no extrapolation of it; that it does not know them is said.
  const Prediction coarse = predict_run(certain(0.02), run(5e8, 1e10, 4));
  EXPECT_NE(coarse.note.find("does not model"), std::string::npos);
}

TEST(Predict, ADamagedFitIsASentence) {
  FitOptions options;
  options.starts = 4, options.draws = 30, options.hold_out = false;
  const Json fit = fit_to_json(fit_law(simulate(StudyShape{}), options));
  Constants constants;
  ASSERT_EQ(read_constants("", "", fit, constants), "");
  const auto error_of = [&](const char* member, const Json& value) {
    Json damaged = fit;
    (std::string(member) == "clusters" ? damaged["training"]
                                       : damaged["training"]["scatter"])[member] = value;
    Constants read;
    return read_constants("", "", damaged, read);
  };
  EXPECT_NE(error_of("quantiles", {3.0, 1.0}).find("fit again"), std::string::npos);
  EXPECT_NE(error_of("quantiles", {"a"}).find("fit again"), std::string::npos);
  EXPECT_NE(error_of("growth", -1).find("fit again"), std::string::npos);
  EXPECT_NE(error_of("clusters", "many").find("fit again"), std::string::npos);
  EXPECT_EQ(error_of("clusters", 20), "");
}

TEST(Predict, PublishedConstantsSayHowFarTheirRunsReach) {
  const auto beyond = [](const char* law, const Observation& asked) {
    Constants constants;
    EXPECT_EQ(read_constants(law, "", nullptr, constants), "") << law;
    return words_beyond(constants.reach, asked);
  };
  for (const char* law :
       {"chinchilla", "quest", "quartet", "chen-qat", "sun-fp", "gadre", "kaplan"}) {
    EXPECT_EQ(beyond(law, run(1e8, 5e9)).size(), 0U) << law;
    EXPECT_EQ(beyond(law, run(1e12, 2e13)).size(), 2U) << law;
  }
  // Weights of 8 bits, with activations that are not quantized, after a study of 1 to 6.
  Observation eight = run(1e9, 1e11);
  eight.bits_weights = 8;
  EXPECT_EQ(beyond("apple-qat-fraction", eight).size(), 1U);
  eight.bits_weights = 4;
  EXPECT_EQ(beyond("apple-qat-fraction", eight).size(), 0U);
}

TEST(Predict, AnOptimizerThatTheFitLacksIsNamed) {
  std::vector<Observation> rows{run(1e8, 5e9), run(1e8, 5e9, 4), run(1e8, 5e9), run(1e8, 5e9, 4)};
  rows[2].optimizer = rows[3].optimizer = "muon";
  Constants constants;
  constants.bound = bind_law(law_named("quest-optimizer"), rows);
  constants.law = &constants.bound.law();
  const ConstantSet& set = constants.law->constants[0];
  constants.values.assign(set.values.begin(), set.values.end());
  EXPECT_TRUE(std::isfinite(predict_run(constants, rows[3]).loss));
  Observation other = rows[0];
  other.optimizer = "soap";
  EXPECT_EQ(predict_run(constants, other).problem,
            "the fit has no share for runs with the optimizer soap");
  other = rows[3];
  other.bits_weights = 3;
  EXPECT_EQ(predict_run(constants, other).problem,
            "the fit has no rho for W3A16 with the optimizer muon");
}

TEST(Predict, PublishedConstantsHaveNoIntervals) {
  Constants constants;
  ASSERT_EQ(read_constants("kumar", "", nullptr, constants), "");
  const Prediction made = predict_run(constants, run(7e9, 2e12));
  EXPECT_NEAR(made.loss, predict(*constants.law, constants.values.data(), run(7e9, 2e12)), 1e-15);
  EXPECT_FALSE(made.mean || made.run);
  EXPECT_EQ(made.beyond.size(), 2U);
  Observation cell = run(1e8, 1e10);
  cell.bits_post = 4;
  EXPECT_GT(predict_run(constants, cell).delta, 0);
}

// Of runs in trunks of their own: those that a fit has not seen. 132 runs of each of 6 studies, whose
// trunks of 3 err together: 90 % of 792, with a standard deviation of about 15.
TEST(Predict, IntervalsHoldRunsThatWereNotFitted) {
  const Law& law = *find_law("kumar");
  StudyOptions options;
  options.params = {1e5, 2e5, 4e5, 8e5}, options.tokens = {2e6, 8e6, 32e6};
  options.weights = {3, 4, 6, 8}, options.activations = {4, 6, 8}, options.kv = {3, 4, 6};
  options.post.clear();
  options.shared = 0.8, options.trunk = "size";
  const std::vector<Observation> runs = design_runs(law, options);
  const Truth truth{bind_law(law, runs), small_model_constants()};
  int inside = 0, mean_inside = 0, all = 0;
  for (uint64_t study = 1; study <= 6; ++study) {
    options.seed = study;
    FitOptions fitting;
    fitting.starts = 4, fitting.draws = 60, fitting.hold_out = false;
    const Fit fit = fit_law(draw_study(truth, runs, options).rows, fitting);
    Constants constants;
    ASSERT_EQ(read_constants("", "", fit_to_json(fit), constants), "");
    options.seed = study + 100;
    for (const Observation& unseen : draw_study(truth, runs, options).rows) {
      const Prediction made = predict_run(constants, unseen);
      ASSERT_TRUE(made.run);
      const double mean = predict(law, truth.values.data(), unseen);
      inside += made.run->low <= unseen.loss_nats && unseen.loss_nats <= made.run->high;
      mean_inside += made.mean->low <= mean && mean <= made.mean->high;
      ++all;
    }
  }
  EXPECT_GT(inside, 0.83 * all);
  EXPECT_LT(inside, 0.97 * all);
  EXPECT_GT(mean_inside, 0.75 * all);
}

// Where N and D only stand in for the input of a law without them, nothing is said about N and D.
TEST(Reach, StandInsAreNoSizes) {
  std::vector<Observation> rows(3);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].inputs = {{"budget", 6e18 * std::pow(10.0, static_cast<double>(i))}};
    rows[i].params = rows[i].tokens = std::sqrt(rows[i].inputs[0].value / 6);
    rows[i].stand_in_sizes = true;
  }
  const Reach reach = reach_of(rows);
  EXPECT_TRUE(reach.is_known());
  EXPECT_FALSE(reach.params.is_known());
  EXPECT_FALSE(reach.compute.is_known());
  Observation far = rows[0];
  far.inputs[0].value = 6e22, far.params = far.tokens = 1e11;
  EXPECT_NEAR(distance(reach, far).size, std::log(100.0), 1e-9);
  EXPECT_EQ(words_beyond(reach, far).size(), 1U);
  EXPECT_FALSE(distance(reach, rows[1]).is_outside());
}

}  // namespace
}  // namespace bitlaw
