#include "fit/fit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "fit/residuals.h"
#include "fit/setup.h"
#include "fit/stage.h"
#include "laws/forms/chinchilla.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

FitOptions quick(const char* law, int64_t draws = 0) {
  FitOptions options;
  options.law = law;
  options.starts = 16;
  options.draws = draws;
  options.hold_out = false;
  return options;
}

Fit fit(const std::vector<Observation>& rows, const FitOptions& options) {
  return fit_law(*find_law(options.law), rows, options);
}

TEST(Fit, AnUnknownLawIsNamedWithItsNearest) {
  try {
    fit_law({}, {.law = "chinchila"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "unknown law 'chinchila'; did you mean 'chinchilla'?");
  }
}

const FittedParameter& parameter(const Fit& fit, const std::string& name) {
  return *std::find_if(fit.parameters.begin(), fit.parameters.end(),
                       [&](const FittedParameter& p) { return p.name == name; });
}

bool says(const Fit& fit, const std::string& words) {
  return std::any_of(fit.notes.begin(), fit.notes.end(), [&](const std::string& note) {
    return note.find(words) != std::string::npos;
  });
}

std::string error_of(const std::vector<Observation>& rows, const FitOptions& options) {
  try {
    fit(rows, options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Fit, WithoutNoiseTheTruthComesOutExactly) {
  StudyShape shape;
  shape.noise = 0, shape.delta_error = 0;
  const std::vector<double> truth = small_model_constants();
  FitOptions options = quick("kumar");
  options.freeze = {"b=1.1277"};
  const Fit result = fit(simulate(shape), options);
  for (size_t i = 0; i < truth.size(); ++i) {
    // Losses carry rounding of 1e-16; the flattest direction magnifies that by the condition
    // number, near 1e3. Deltas are drawn with 1e-9 of 1e-3 nats and up.
    EXPECT_NEAR(result.parameters[i].value / truth[i], 1, 1e-5) << result.parameters[i].name;
  }
  EXPECT_NEAR(result.training.r2, 1, 1e-12);
}

// Percentile intervals of one study are about +-1.6 standard errors; the truth must lie within one
// more width on either side, five standard errors from the estimate.
TEST(Fit, TheTruthLiesNearTheIntervalsOfANoisyStudy) {
  const std::vector<double> truth = small_model_constants();
  FitOptions options = quick("kumar", 100);
  ThreadPool pool(2);
  const Fit result = fit_law(*find_law("kumar"), simulate({.delta_error = 2e-4}), options,
                             [&](int64_t count, const std::function<void(int64_t)>& task) {
                               pool.parallel_for(count, [&](int64_t i, int) { task(i); });
                             });
  EXPECT_TRUE(result.converged());
  EXPECT_EQ(result.draws.size(), 100u);
  int inside = 0, fitted = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const FittedParameter& p = result.parameters[i];
    if (!p.frozen.empty()) continue;
    ++fitted;
    const double width = p.high - p.low;
    EXPECT_GT(width, 0) << p.name;
    EXPECT_GT(truth[i], p.low - width) << p.name;
    EXPECT_LT(truth[i], p.high + width) << p.name;
    inside += truth[i] >= p.low && truth[i] <= p.high;
  }
  EXPECT_EQ(fitted, 15);  // eleven of training, C_T, gamma_D, gamma_N, gamma_post
  EXPECT_GE(inside, 8);   // 90 % each, though not independent
  EXPECT_GT(result.training.r2, 0.99);
  EXPECT_GT(result.post.r2, 0.9);
}

TEST(Fit, ThreadsDoNotChangeTheResult) {
  FitOptions options = quick("kumar", 10);
  const std::vector<Observation> rows = simulate({.params = {1e5, 4e5}});
  ThreadPool pool(2);
  const Fit one = fit(rows, options);
  const Fit two = fit_law(*find_law("kumar"), rows, options,
                          [&](int64_t count, const std::function<void(int64_t)>& task) {
                            pool.parallel_for(count, [&](int64_t i, int) { task(i); });
                          });
  EXPECT_EQ(one.values(), two.values());
  EXPECT_EQ(one.draws, two.draws);
}

TEST(Fit, WhatTheRowsCannotTellIsFrozenAndSaid) {
  StudyShape shape;
  shape.activations = {}, shape.kv = {4}, shape.post = {4};
  const Fit result = fit(simulate(shape), quick("kumar"));
  for (const char* name : {"gamma_a", "n_a", "n_kv", "gamma_post", "b"}) {
    EXPECT_NE(parameter(result, name).frozen, "") << name;
    EXPECT_TRUE(says(result, std::string(name) + " = ")) << name;
    const Law& law = *find_law("kumar");
    EXPECT_EQ(parameter(result, name).value, law.constants[0].values[parameter_index(law, name)]);
  }
  for (const char* name : {"gamma_w", "n_w", "gamma_kv", "C_T", "gamma_D"}) {
    EXPECT_EQ(parameter(result, name).frozen, "") << name;
  }
}

// Deltas say something about N_eff, which the staged fit does not hear: where training rows are
// noisy and deltas exact, the joint fit is nearer the truth.
TEST(Fit, AJointFitHearsWhatDeltasSayOfTraining) {
  StudyShape shape;
  shape.delta_error = 1e-7, shape.noise = 3e-3;
  std::vector<double> truth = small_model_constants();
  const Law& law = *find_law("kumar");
  std::vector<Observation> rows;
  for (const Observation& run : simulate(shape)) {
    rows.push_back(run);
    if (run.is_post_training() || run.bits_weights > 8) continue;
    for (const double bits : {3.0, 4.0, 5.0}) {  // of runs trained at low precision
      Observation cell = run;
      cell.bits_post = bits;
      if (bits >= run.bits_weights) continue;
      cell.delta_nats = predict_delta(law, truth.data(), cell);
      cell.delta_standard_error = 1e-7;
      rows.push_back(cell);
    }
  }
  FitOptions options = quick("kumar", 20);
  options.post_floor = 1e-3;
  const Fit staged = fit(rows, options);
  options.joint = true;
  const Fit joint = fit(rows, options);
  ASSERT_TRUE(joint.converged());
  EXPECT_TRUE(says(joint, "Joint fit"));
  double staged_error = 0, joint_error = 0;
  for (const char* name : {"gamma_w", "n_w"}) {
    const double exact = truth[static_cast<size_t>(parameter_index(law, name))];
    staged_error += std::fabs(parameter(staged, name).value - exact);
    joint_error += std::fabs(parameter(joint, name).value - exact);
  }
  EXPECT_LT(joint_error, staged_error);
  // Each part alone cannot be better than at its own minimum.
  EXPECT_GE(joint.training.objective, staged.training.objective);
  EXPECT_EQ(joint.draws.size(), 20u);
  EXPECT_LT(parameter(joint, "gamma_w").high - parameter(joint, "gamma_w").low,
            parameter(staged, "gamma_w").high - parameter(staged, "gamma_w").low);
}

TEST(Fit, TiesHold) {
  FitOptions options = quick("kumar", 20);
  options.tie = {"beta=alpha", "gamma_a=gamma_w", "n_a=n_w"};
  const Fit result = fit(simulate({.params = {1e5, 4e5}}), options);
  EXPECT_EQ(parameter(result, "beta").value, parameter(result, "alpha").value);
  EXPECT_EQ(parameter(result, "n_a").value, parameter(result, "n_w").value);
  EXPECT_EQ(parameter(result, "beta").tied_to, "alpha");
  EXPECT_EQ(parameter(result, "beta").low, parameter(result, "alpha").low);
  EXPECT_EQ(result.training.free, 8);
}

TEST(Fit, DeltasAtOrBelowZeroAreCountedAndKept) {
  StudyShape shape;
  shape.post = {4, 6, 8}, shape.delta_error = 3e-3;
  const std::vector<Observation> rows = simulate(shape);
  const int negative = static_cast<int>(std::count_if(
      rows.begin(), rows.end(), [](const Observation& row) { return row.delta_nats <= 0; }));
  ASSERT_GT(negative, 0);
  const Fit result = fit(rows, quick("kumar"));
  EXPECT_EQ(result.censored, negative);
  EXPECT_EQ(result.post.points, 36);
  EXPECT_TRUE(says(result, "at or below zero"));
  std::vector<Observation> positive;
  for (const Observation& row : rows) {
    if (!(row.delta_nats <= 0)) positive.push_back(row);
  }
  // Without them the small deltas look larger than they are, so the law would fall too slowly with
  // bits.
  const double truth = small_model_constants()[Kumar::kGammaPost];
  const double kept = parameter(result, "gamma_post").value;
  const double dropped = parameter(fit(positive, quick("kumar")), "gamma_post").value;
  EXPECT_LT(std::fabs(kept - truth), std::fabs(dropped - truth) + 1e-3);
  EXPECT_LT(kept, dropped);
}

// Runs trained at low precision and quantized to fewer bits still: what the bracket of the unified
// law is made of.
TEST(Fit, RobustnessFromLowPrecisionTrainingIsFoundWithItsInterval) {
  const Law& law = *find_law("kumar");
  std::vector<double> truth = small_model_constants();
  const double robustness = 0.6;
  truth[static_cast<size_t>(parameter_index(law, "C_w"))] = robustness;
  std::vector<Observation> rows = simulate({.activations = {}, .kv = {}, .post = {}}, truth);
  const size_t runs = rows.size();
  uint64_t draw = 0;
  for (size_t i = 0; i < runs; ++i) {
    for (const double bits : {2.0, 3.0, 4.0, 5.0}) {
      Observation row = rows[i];
      if (bits >= row.bits_weights) continue;
      row.bits_post = bits;
      row.loss_nats = kUnknown;
      row.delta_standard_error = 0.02 * predict_delta(law, truth.data(), row);
      row.delta_nats = predict_delta(law, truth.data(), row) +
                       row.delta_standard_error * random_normal(9, 0, draw++);
      rows.push_back(row);
    }
  }
  FitOptions options = quick("kumar");
  options.draws = 100;
  const Fit result = fit(rows, options);
  const FittedParameter& fitted = parameter(result, "C_w");
  // The interval is one of resampled runs: it holds its own estimate, and the truth within a width.
  EXPECT_LT(fitted.low, fitted.value);
  EXPECT_GT(fitted.high, fitted.value);
  EXPECT_NEAR(fitted.value, robustness, fitted.high - fitted.low);
  EXPECT_LT(fitted.high - fitted.low, 0.2);
}

TEST(Fit, OneMethodOfQuantizationAtATime) {
  std::vector<Observation> rows;
  for (Observation row : simulate({.delta_error = 2e-4})) {
    row.method = row.is_post_training() ? "gptq" : "";
    rows.push_back(row);
    if (!row.is_post_training()) continue;
    row.method = "rtn", row.delta_nats *= 2;
    rows.push_back(row);
  }
  FitOptions options = quick("kumar");
  const Fit gptq = fit(rows, options);
  EXPECT_EQ(gptq.post.points, 48);
  EXPECT_TRUE(says(gptq, "is fitted to gptq; the table also has rtn"));
  options.method = "rtn";
  const Fit rtn = fit(rows, options);
  // Twice the delta is twice C_T, within what the other constants move when small deltas weigh
  // differently.
  EXPECT_NEAR(parameter(rtn, "C_T").value / parameter(gptq, "C_T").value, 2, 0.5);
  options.method = "awq";
  EXPECT_NE(error_of(rows, options).find("no row was quantized by awq; the table has gptq, rtn"),
            std::string::npos);
}

TEST(Fit, ARunWithoutALossIsAnError) {
  std::vector<Observation> rows = simulate({});
  rows[3].loss_nats = kUnknown;
  EXPECT_NE(error_of(rows, quick("kumar")).find("row 4:"), std::string::npos);
}

TEST(Fit, DProportionalToNIsNoticed) {
  const Law& law = *find_law("chinchilla");
  const std::vector<double> truth{1.8, 400, 1800, 0.34, 0.37};
  std::vector<Observation> rows;
  for (int i = 0; i < 30; ++i) {
    Observation run;
    run.params = 1e7 * std::pow(1.2, i), run.tokens = 20 * run.params;
    run.loss_nats = predict(law, truth.data(), run) *
                    std::exp(1e-4 * random_normal(3, 0, static_cast<uint64_t>(i)));
    rows.push_back(run);
  }
  const Fit result = fit(rows, quick("chinchilla"));
  EXPECT_GT(result.training.condition, 1000);
  EXPECT_TRUE(says(result, "proportional to N"));
  EXPECT_TRUE(says(result, "trade off"));
  EXPECT_TRUE(says(result, "would separate them"));
}

TEST(Fit, ANoteOnTheOtherCountNamesOnlyDifferences) {
  EXPECT_EQ(note_on_other_count("total", {0.49651, 0.49654}, {0.012, 0.013}),
            "With N counted with embeddings and head instead: the same alpha, 0.4965, with "
            "objective 0.013 "
            "rather than 0.012.");
  EXPECT_EQ(
      note_on_other_count("total", {0.49, 0.51}, {0.012, 0.012}),
      "With N counted with embeddings and head instead: alpha 0.51 rather than 0.49, with the same "
      "objective, 0.012.");
}

TEST(Fit, TooFewRowsAreRefusedAndJustEnoughGetNoIntervals) {
  const std::vector<Observation> rows = simulate({.params = {1e5, 2e5},
                                                  .tokens = {2e6, 8e6, 32e6},
                                                  .weights = {},
                                                  .activations = {},
                                                  .kv = {},
                                                  .post = {}});
  ASSERT_EQ(rows.size(), 6u);
  const std::string sentence = error_of({rows.begin(), rows.begin() + 4}, quick("chinchilla"));
  EXPECT_NE(sentence.find("4 runs cannot determine the 5 constants of chinchilla; add 1"),
            std::string::npos)
      << sentence;
  EXPECT_NE(error_of({rows.begin(), rows.begin() + 1}, quick("chinchilla"))
                .find("1 run cannot determine the "),
            std::string::npos);
  std::vector<Observation> few =
      simulate({.params = {1e5, 2e5}, .tokens = {2e6}, .activations = {}, .kv = {}, .post = {}});
  few.resize(7);
  const std::string of_classes = error_of(few, quick("additive-class"));
  EXPECT_NE(of_classes.find("single precision classes"), std::string::npos) << of_classes;
  const Fit exact = fit({rows.begin(), rows.begin() + 5}, quick("chinchilla", 50));
  EXPECT_TRUE(exact.draws.empty());
  EXPECT_TRUE(std::isnan(parameter(exact, "A").low));
  EXPECT_TRUE(says(exact, "5 rows for 5 constants"));
  const Fit spare = fit(rows, quick("chinchilla", 50));
  EXPECT_TRUE(says(spare, "6 rows for 5 constants"));
  EXPECT_TRUE(spare.draws.empty());
}

// A linear problem in disguise: with alpha and beta frozen the loss is linear in E, A and B, so that
// weighted squares of the loss have a closed solution.
TEST(Fit, LinearResidualsWithWeightsAreWeightedLinearRegression) {
  std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}, .noise = 2e-2});
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].loss_standard_error = rows[i].loss_nats * (i % 3 == 0 ? 1e-3 : 3e-3);
  }
  FitOptions options = quick("chinchilla");
  options.objective = "least-squares";
  options.residual = "linear";
  options.weights = "standard-error";
  options.freeze = {"alpha=0.44", "beta=0.53"};
  const Fit result = fit(rows, options);
  Eigen::MatrixXd columns(rows.size(), 3);
  Eigen::VectorXd target(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const double root = i % 3 == 0 ? 3 : 1;  // of the weight
    const long row = static_cast<long>(i);
    columns.row(row) << root, root * std::pow(rows[i].params, -0.44),
        root * std::pow(rows[i].tokens, -0.53);
    target[row] = root * rows[i].loss_nats;
  }
  const Eigen::VectorXd exact = columns.colPivHouseholderQr().solve(target);
  EXPECT_NEAR(parameter(result, "E").value, exact[0], 1e-7 * exact[0]);
  EXPECT_NEAR(parameter(result, "A").value, exact[1], 1e-6 * exact[1]);
  EXPECT_NEAR(parameter(result, "B").value, exact[2], 1e-6 * exact[2]);
  rows[2].loss_standard_error = kUnknown;
  EXPECT_NE(error_of(rows, options).find("loss_standard_error"), std::string::npos);
}

TEST(Fit, RowsOfOneClusterAreDrawnTogether) {
  // Every row eight times over: as clusters that says nothing new, as rows it claims sqrt(8) less
  // error.
  const std::vector<Observation> once =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}});
  std::vector<Observation> clustered, alone;
  for (int copy = 0; copy < 8; ++copy) {
    for (Observation row : once) {
      clustered.push_back(row);
      row.cluster.clear();
      alone.push_back(row);
    }
  }
  FitOptions options = quick("chinchilla", 100);
  options.objective = "least-squares";
  const auto width = [&](const std::vector<Observation>& rows) {
    const Fit result = fit(rows, options);
    return std::log(parameter(result, "A").high / parameter(result, "A").low);
  };
  const double whole = width(once);
  EXPECT_NEAR(width(clustered) / whole, 1, 0.05);
  EXPECT_LT(width(alone) / whole, 0.6);  // about 0.35
}

// With one constant left, the least sum of absolute deviations is at one of the rows: E = loss - rest.
TEST(Fit, LeastAbsoluteDeviationsPassThroughARow) {
  std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}, .noise = 1e-2});
  rows[3].loss_nats *= 1.5;  // no matter how far off
  FitOptions options = quick("chinchilla");
  options.objective = "lad";
  options.freeze = {"A=260", "B=4200", "alpha=0.44", "beta=0.53"};
  const Fit found = fit(rows, options);
  std::vector<double> values = found.values();
  const Law& law = *find_law("chinchilla");
  const auto sum = [&](double e) {
    values[Chinchilla::kE] = e;
    double out = 0;
    for (const Observation& row : rows)
      out += std::fabs(std::log(predict(law, values.data(), row) / row.loss_nats));
    return out;
  };
  double best = std::numeric_limits<double>::infinity(), at = 0;
  for (const Observation& row : rows) {
    values[Chinchilla::kE] = 1;
    const double e = row.loss_nats - (predict(law, values.data(), row) - 1);
    if (sum(e) < best) best = sum(e), at = e;
  }
  EXPECT_NEAR(parameter(found, "E").value, at, 1e-5);
  EXPECT_NEAR(found.training.objective / kLadThreshold, best, 1e-5);
  EXPECT_NE(found.objective_name.find("absolute log residuals"), std::string::npos);
}

TEST(Fit, FewClustersAreSaidForEachStage) {
  const Fit result = fit(simulate({.params = {1e5, 4e5}}), quick("kumar", 10));
  EXPECT_TRUE(says(result, "Post-training term: only 6 clusters of rows"));
  EXPECT_FALSE(says(result, "Training law: only"));
}

TEST(Fit, OneClusterAloneGivesNoIntervals) {
  std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}});
  for (Observation& row : rows) row.cluster = "trunk";
  const Fit result = fit(rows, quick("chinchilla", 20));
  EXPECT_TRUE(result.draws.empty());
  EXPECT_TRUE(std::isnan(parameter(result, "A").low));
  EXPECT_TRUE(says(result, "one cluster"));
}

TEST(Fit, TotalParametersNeedTheirColumn) {
  FitOptions options = quick("chinchilla");
  options.params = "total";
  std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}});
  EXPECT_NE(error_of(rows, options).find("N_total"), std::string::npos);
  for (Observation& row : rows) row.params_total = 2 * row.params;
  const double total = parameter(fit(rows, options), "A").value;
  const Fit plain = fit(rows, quick("chinchilla"));
  EXPECT_EQ(plain.other_count.params, "total");
  EXPECT_NEAR(plain.other_count.values[Chinchilla::kA] / total, 1, 1e-9);
  EXPECT_TRUE(says(plain, "With N counted with embeddings and head"));
  // Twice the N everywhere is A times 2^alpha.
  EXPECT_NEAR(total / (parameter(plain, "A").value * std::pow(2, parameter(plain, "alpha").value)),
              1, 1e-5);
}

TEST(Fit, OptionsThatMakeNoSenseGetOneSentence) {
  const std::vector<Observation> rows = simulate({.post = {}});
  const auto with = [&](auto change) {
    FitOptions options = quick("kumar");
    change(options);
    return error_of(rows, options);
  };
  EXPECT_NE(with([](auto& o) { o.objective = "l1"; }).find("objective"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.freeze = {"gama_w=2"}; }).find("did you mean 'gamma_w'?"),
            std::string::npos);
  EXPECT_NE(with([](auto& o) { o.freeze = {"E=x"}; }).find("NAME=NUMBER"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.freeze = {"E=-1"}; }).find("positive"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.tie = {"beta"}; }).find("NAME=NAME"), std::string::npos);
  EXPECT_NE(with([](auto& o) {
              o.tie = {"beta=alpha", "alpha=gamma_w"};
            }).find("chains"),
            std::string::npos);
  EXPECT_NE(error_of({}, quick("kumar")).find("no row"), std::string::npos);
}

TEST(Fit, HeldOutErrorIsThatOfTheNoise) {
  FitOptions options = quick("kumar");
  options.hold_out = true;
  StudyShape shape;
  shape.params = {1e5, 2e5, 4e5, 8e5}, shape.tokens = {1e6, 4e6, 16e6, 64e6}, shape.post = {};
  const Fit result = fit(simulate(shape), options);
  ASSERT_EQ(result.held_out.size(), 3u);
  for (const HeldOut& held : result.held_out) {
    EXPECT_GT(held.rms_log, 0.5e-3) << held.split;  // the noise of the held-out rows themselves
    EXPECT_LT(held.rms_log, 5e-3) << held.split;
    EXPECT_GT(held.standard_error, 0) << held.split;
  }
  EXPECT_EQ(result.held_out[2].points, result.training.points);  // folds cover every row
}

TEST(Fit, HeldOutDeltasArePredictedToo) {
  FitOptions options = quick("kumar");
  options.hold_out = true;
  StudyShape shape;
  shape.weights = shape.activations = shape.kv = {}, shape.post = {3, 4, 5},
  shape.delta_error = 1e-5;
  std::vector<Observation> rows = simulate(shape);
  int measured = 0;
  for (Observation& row : rows) {
    if (!row.is_post_training() || ++measured % 4 != 0) continue;
    row.delta_standard_error = row.delta_nats / 4;  // its logarithm would be noise
  }
  const auto unclear = std::count_if(rows.begin(), rows.end(), [](const Observation& row) {
    return row.is_post_training() && !is_clear_delta(row);
  });
  EXPECT_GE(unclear, measured / 4);
  const Fit result = fit(rows, options);
  int of_deltas = 0;
  for (const HeldOut& held : result.held_out) {
    if (held.part != "post") continue;
    ++of_deltas;
    EXPECT_GT(held.points, 0) << held.split;
    EXPECT_LT(held.rms_log, 0.5)
        << held.split;  // rows above five standard errors: at most half a nat off
    EXPECT_GT(held.unclear, 0) << held.split;
    EXPECT_EQ(held.fitted + held.points + held.unclear, measured) << held.split;
    EXPECT_EQ(held.all_points, held.points + held.unclear) << "every row is judged";
    EXPECT_GT(held.rms_errors, 0) << held.split;
    EXPECT_NE(fit_text(result).find(fmt::format(" of the {} clear ones", held.points)),
              std::string::npos);
    if (held.split == "kfold") {
      EXPECT_EQ(held.unclear, unclear) << "folds cover every row";
    }
  }
  EXPECT_EQ(of_deltas, 3);
}

// kumar's product makes delta zero at A4 and P_post 4, whatever is measured there.
TEST(Fit, RowsThatALawSaysLoseNothingAreJudgedButNotFitted) {
  StudyShape shape;
  shape.weights = shape.kv = {}, shape.activations = {4}, shape.post = {3, 4, 5};
  shape.delta_error = 1e-5;
  std::vector<Observation> rows = simulate(shape);
  int silent = 0;  // rows for which kumar says zero
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].is_post_training() || rows[i].bits_activations > 4) continue;
    Observation cell = rows[i];
    cell.bits_post = 4, cell.delta_nats = 0.02, cell.delta_standard_error = 1e-4;
    rows.push_back(cell);
    ++silent;
  }
  ASSERT_GT(silent, 0);
  FitOptions options = quick("kumar");
  options.hold_out = true;
  const Fit kumar = fit(rows, options);
  EXPECT_EQ(kumar.post.judged, kumar.post.points + silent);
  EXPECT_TRUE(says(kumar, "they lost 0.02 nats on average"));
  std::vector<Observation> without = rows;
  std::erase_if(without, [](const Observation& row) {
    return row.is_post_training() && row.bits_activations <= row.bits_post;
  });
  const Fit alone = fit(without, options);
  EXPECT_EQ(kumar.values(), alone.values()) << "they move no constant";
  EXPECT_LT(kumar.post.r2_all, alone.post.r2_all - 0.01);
  const auto held = [](const Fit& fit) {
    return *std::find_if(fit.held_out.begin(), fit.held_out.end(), [](const HeldOut& each) {
      return each.part == "post" && each.split == "kfold";
    });
  };
  EXPECT_EQ(held(kumar).all_points, kumar.post.judged);
  EXPECT_GT(held(kumar).rms_errors, 2 * held(alone).rms_errors);

  options.law = "kumar-w-bracket";
  EXPECT_EQ(fit(rows, options).post.points, kumar.post.judged) << "this law can fit them";
}

TEST(Fit, GoesThroughJsonUnchanged) {
  FitOptions options = quick("kumar", 25);
  options.hold_out = true;
  std::vector<Observation> rows = simulate({.params = {1e5, 4e5}});
  for (Observation& row : rows) row.params_total = row.params + 3e4;
  const Fit result = fit(rows, options);
  ASSERT_FALSE(result.other_count.params.empty());
  const std::string text = dump_json(fit_to_json(result));
  const Fit back = fit_from_json(parse_json(text, "test"), "test");
  EXPECT_EQ(dump_json(fit_to_json(back)), text);
  EXPECT_EQ(back.values(), result.values());
  EXPECT_EQ(back.draws, result.draws);
  EXPECT_EQ(fit_text(back), fit_text(result));
  EXPECT_THROW(fit_from_json(Json{{"law", "kumar"}}, "x.json"), Error);
  EXPECT_THROW(fit_from_json(Json::array(), "x.json"), Error);
}

// Chain rule through coordinates, ties, offsets and links, against central differences.
TEST(Residuals, JacobianAgreesWithCentralDifferences) {
  const Law& law = *find_law("kumar");
  const std::vector<Observation> all = simulate({.params = {1e5}, .delta_error = 2e-2});
  std::vector<int> tied(law.parameters.size(), -1);
  tied[Kumar::kBeta] = Kumar::kAlpha;
  tied[Kumar::kGammaA] = Kumar::kGammaW;
  for (const Stage stage : {Stage::kTraining, Stage::kPost}) {
    StageSetup setup;
    setup.law = &law;
    setup.base = small_model_constants();
    setup.tied_to = tied;
    setup.settings.stage = stage;
    for (size_t i = 0; i < law.parameters.size(); ++i) {
      if (law.parameters[i].stage == stage && tied[i] < 0)
        setup.free.push_back(static_cast<int>(i));
    }
    std::vector<Observation> rows;
    for (const Observation& row : all) {
      if (row.is_post_training() == (stage == Stage::kPost)) rows.push_back(row);
    }
    setup.base[Kumar::kCW] = setup.base[Kumar::kCA] = setup.base[Kumar::kCKv] = 0.1;
    const Coordinates coordinates(law, setup.base, setup.free, tied);
    const ResidualProblem problem = make_problem(law, rows, coordinates, setup.settings);
    const Vector x = coordinates.from_values(setup.base);
    Vector r(problem.rows), up(problem.rows), down(problem.rows);
    Matrix jacobian(problem.rows, x.size());
    ASSERT_TRUE(problem.evaluate(x, r, &jacobian));
    const double h = 1e-5;  // errors: h^2 / 6 of the third derivative, 1e-16 / h of the value
    for (long j = 0; j < x.size(); ++j) {
      Vector moved = x;
      moved[j] = x[j] + h;
      problem.evaluate(moved, up, nullptr);
      moved[j] = x[j] - h;
      problem.evaluate(moved, down, nullptr);
      const Vector expected = (up - down) / (2 * h);
      for (long i = 0; i < r.size(); ++i) {
        EXPECT_NEAR(jacobian(i, j), expected[i],
                    1e-7 * (1 + std::fabs(r[i]) + std::fabs(expected[i])))
            << law.parameters[setup.free[j]].name << " row " << i;
      }
    }
  }
}

TEST(Fit, ConstantsStayWithinTheRangesAskedFor) {
  const std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}});
  FitOptions options = quick("chinchilla");
  const double alpha = parameter(fit(rows, options), "alpha").value;
  ASSERT_GT(alpha, 0.4);
  options.range = {"alpha=0.1..0.4", "E=0..3"};
  const Fit limited = fit(rows, options);
  EXPECT_NEAR(parameter(limited, "alpha").value, 0.4, 1e-6) << "the nearest that is allowed";
  EXPECT_TRUE(says(limited, "alpha at the edge of its range"));
  options.range = {"alpha=0.1..0.9"};
  EXPECT_NEAR(parameter(fit(rows, options), "alpha").value, alpha, 1e-6 * alpha)
      << "a range around the minimum changes nothing";
  for (const char* wrong :
       {"alpha", "alpha=1", "alpha=2..1", "alpha=-1..1", "alfa=0..1", "alpha=a..b"}) {
    options.range = {wrong};
    EXPECT_NE(error_of(rows, options).find("range: "), std::string::npos) << wrong;
  }
}

}  // namespace
}  // namespace bitlaw
