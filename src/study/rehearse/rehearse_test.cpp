#include "rehearse/rehearse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "laws/observation.h"
#include "laws/registry.h"
#include "record/result.h"
#include "simulate/simulate.h"
#include "sweep/conditions.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

// Losses of about 4 nats for models of 10,000 parameters.
const std::vector<std::string> kTruth{"E=1.2", "A=28", "alpha=0.26", "B=600", "beta=0.45"};

SimulateWords kumar(double noise = 0) {
  SimulateWords words;
  words.law = "kumar";
  words.constants = kTruth;
  words.study.noise = noise;
  words.study.delta_noise = noise;
  return words;
}

Rehearsal rehearse(const std::vector<std::string>& study, const SimulateWords& words,
                   const std::vector<std::string>& only = {}) {
  KnownLaws known;
  return rehearse(
      plan_sweep(study, "", MissingData::kUnknown), only, words, known,
      [](const std::string&) { return false; }, "--");
}

Rehearsal rehearse_grid(const std::string& rest, const SimulateWords& words) {
  return rehearse(StudyFolder(rest).study(), words);
}

std::vector<TidyRow> runs_of(const Rehearsal& rehearsal) {
  std::vector<TidyRow> out;
  for (const TidyRow& row : rehearsal.rows) {
    if (row.is_run()) out.push_back(row);
  }
  return out;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool any_contains(const std::vector<std::string>& sentences, const std::string& part) {
  return std::any_of(sentences.begin(), sentences.end(), [&](const std::string& sentence) {
    return sentence.find(part) != std::string::npos;
  });
}

// What the law says, apart from noise.
Observation seen(const TidyRow& row) {
  Observation out;
  out.params = static_cast<double>(row.N.value());
  out.tokens = static_cast<double>(row.D.value());
  out.bits_weights = row.P_w, out.bits_activations = row.P_a, out.bits_kv = row.P_kv;
  return out;
}

Truth truth() {
  return truth_for(
      law_named("kumar"),
      std::vector<Observation>{seen(TidyRow{.N = 1, .D = 1, .P_w = 16, .P_a = 16, .P_kv = 16})}, "",
      nullptr, kTruth);
}

constexpr const char* kGrid =
    "[[grid]]\n\"train.tokens\" = [25_600, 51_300]\n\"recipe.weights\" = [\"16\", \"4\"]\n"
    "[ptq]\nmethods = [\"rtn\", \"gptq\"]\nbits = [3, 4, 5]\ncalibration_seeds = [1, 2]\n"
    "calibration_tokens = 512\nevaluation_tokens = 500\n";

TEST(Rehearse, HasARowForEveryRunAndEveryCell) {
  const Rehearsal rehearsal = rehearse_grid(kGrid, kumar());
  EXPECT_EQ(rehearsal.law, "kumar");
  EXPECT_EQ(rehearsal.runs, 4u);
  EXPECT_EQ(rehearsal.cells, 4u * 9) << "rtn, and gptq with two calibrations, at three bits";
  EXPECT_EQ(rehearsal.zero_cells, 2u * 6) << "4 and 5 bits of weights that were trained at 4";
  ASSERT_EQ(rehearsal.rows.size(), rehearsal.runs + rehearsal.cells);
  std::set<int64_t> tokens;
  for (const TidyRow& row : runs_of(rehearsal)) {
    tokens.insert(row.D.value());
    EXPECT_EQ(row.status, name_of(RunStatus::kFinished));
    EXPECT_TRUE(row.run.starts_with(kRehearsed)) << row.run;
    EXPECT_EQ(row.steps, row.D.value() / 256);
    EXPECT_EQ(row.unstable, 0);
    EXPECT_EQ(row.run_fraction, 1);
    EXPECT_GT(row.spent_flop, 6.0 * static_cast<double>(*row.N) * static_cast<double>(*row.D));
    EXPECT_GT(row.bits_per_byte, 0);
    EXPECT_EQ(row.engine + row.weights_hash, "");
    EXPECT_TRUE(std::isnan(row.seconds));
    EXPECT_TRUE(std::isnan(row.delta));
  }
  EXPECT_EQ(tokens, (std::set<int64_t>{25'600, 51'200})) << "whole steps";
}

TEST(Rehearse, WithoutNoiseRowsAreTheLaw) {
  const Rehearsal rehearsal = rehearse_grid(kGrid, kumar());
  const Truth law = truth();
  std::map<std::string, double> losses;  // of runs
  for (const TidyRow& row : runs_of(rehearsal)) {
    losses[row.run] = row.loss;
    EXPECT_EQ(row.loss, predict(law.law.law(), law.values.data(), seen(row)));
  }
  int positive = 0;
  for (const TidyRow& row : rehearsal.rows) {
    if (row.is_run()) continue;
    Observation cell = seen(row);
    cell.bits_post = row.P_post;
    const bool is_zero = row.P_w <= row.P_post;
    EXPECT_EQ(row.delta, is_zero ? 0 : predict_delta(law.law.law(), law.values.data(), cell));
    EXPECT_EQ(row.measured_delta, row.delta);
    EXPECT_EQ(row.loss, losses.at(row.run) + row.delta);
    positive += row.delta > 0;
  }
  EXPECT_EQ(positive, 36 - 12);
}

TEST(Rehearse, CellsSayHowTheyWouldBeMade) {
  const Rehearsal rehearsal = rehearse_grid(kGrid, kumar(1e-3));
  for (const TidyRow& row : rehearsal.rows) {
    if (row.is_run()) continue;
    EXPECT_EQ(row.evaluation_tokens, 512) << "whole windows of 32 tokens";
    EXPECT_EQ(row.calibration_seed.has_value(), row.method == "gptq");
    EXPECT_EQ(row.format_post, "int" + std::to_string(static_cast<int>(row.P_post)));
    EXPECT_GT(row.storage_bits, row.P_post);
    EXPECT_LT(row.storage_bits, row.P_post + 1.1) << "rows of 32 weights share a scale of 32 bits";
    const bool is_zero = row.P_w <= row.P_post;
    EXPECT_EQ(row.standard_error, is_zero ? 0 : 1e-3);
    EXPECT_EQ(row.measured_standard_error, 1e-3);
    EXPECT_EQ(row.delta == 0, is_zero);
    EXPECT_NE(row.measured_delta, 0);
  }
}

TEST(Rehearse, SeedsDifferInNoiseAlone) {
  const std::string seeds =
      "[[grid]]\n\"train.tokens\" = [25_600]\n\"train.seed\" = [1, 2, 3, 4, 5, 6, 7, 8]\n";
  std::set<double> exact, noisy;
  double squares = 0;
  for (const TidyRow& row : runs_of(rehearse_grid(seeds, kumar()))) exact.insert(row.loss);
  ASSERT_EQ(exact.size(), 1u);
  for (const TidyRow& row : runs_of(rehearse_grid(seeds, kumar(1e-2)))) {
    noisy.insert(row.loss);
    squares += std::pow(std::log(row.loss / *exact.begin()) / 1e-2, 2);
    EXPECT_EQ(row.loss_standard_error, 1e-2 * row.loss);
  }
  EXPECT_EQ(noisy.size(), 8u);
  // Chi-squared of eight: outside of this once in a thousand studies, and this is always the same.
  EXPECT_GT(squares, 0.86);
  EXPECT_LT(squares, 26.1);
}

TEST(Rehearse, WhatTheLawDoesNotSeeIsNamed) {
  const Rehearsal rehearsal = rehearse_grid(
      "[[grid]]\n\"recipe.weights\" = [\"int4\", \"mxfp4\", \"nvfp4\"]\n"
      "\"model.extra_norm\" = [true, false]\n\"train.tokens\" = [25_600]\n"
      "[[grid]]\n\"recipe.weights\" = [\"int4\"]\n\"recipe.weights_granularity\" = [\"group16\"]\n"
      "\"train.tokens\" = [25_600]\n",
      kumar());
  std::map<int64_t, std::set<double>> losses;  // by N, in which the norms are
  for (const TidyRow& row : rehearsal.rows) losses[row.N.value()].insert(row.loss);
  for (const auto& [params, of_size] : losses) EXPECT_EQ(of_size.size(), 1u) << params;
  for (const char* factor : {"extra_norm", "format_w", "granularity_w"})
    EXPECT_TRUE(any_contains(rehearsal.notes, factor)) << factor;
  EXPECT_FALSE(any_contains(rehearsal.notes, "schedule"));
  EXPECT_FALSE(any_contains(rehearsal.notes, "bits in training"));

  SimulateWords words;
  words.law = "chinchilla";
  words.constants = kTruth;
  EXPECT_TRUE(any_contains(rehearse_grid(kGrid, words).notes, "bits in training"));
}

TEST(Rehearse, MethodsShareADelta) {
  const Rehearsal rehearsal = rehearse_grid(kGrid, kumar());
  std::map<std::string, std::set<double>> deltas;
  for (const TidyRow& row : rehearsal.rows) {
    if (!row.is_run() && row.P_post == 3) deltas[row.run].insert(row.delta);
  }
  EXPECT_EQ(deltas.size(), 4u);
  for (const auto& [run, of_run] : deltas) EXPECT_EQ(of_run.size(), 1u);
  EXPECT_TRUE(any_contains(rehearsal.notes, "gptq and rtn have the same delta"));
  EXPECT_FALSE(any_contains(rehearsal.notes, "groups"));
  const StudyFolder tiny(kGrid);
  const Rehearsal grouped =
      rehearse({tiny.study()[0], "ptq.methods=[\"rtn\"]", "ptq.groups=[0, 16]"}, kumar());
  EXPECT_TRUE(any_contains(grouped.notes, "groups of 0 and 16 have the same delta"));
  const Rehearsal many = rehearse(
      {tiny.study()[0], "ptq.methods=[\"rtn\", \"rtn+clip\"]", "ptq.formats=[\"e2m1\", \"mxfp4\"]"},
      kumar());
  EXPECT_TRUE(any_contains(many.notes, "all 6 methods and kinds of codes"));
}

TEST(Rehearse, RunsThatDivergeAreRowsWithoutCells) {
  SimulateWords words = kumar();
  std::vector<double> losses;
  for (const TidyRow& row : runs_of(rehearse_grid(kGrid, words))) losses.push_back(row.loss);
  std::sort(losses.begin(), losses.end());
  words.study.diverged = (losses[2] + losses[3]) / 2;
  const Rehearsal rehearsal = rehearse_grid(kGrid, words);
  EXPECT_EQ(rehearsal.runs, 4u);
  EXPECT_EQ(rehearsal.diverged, 1u);
  EXPECT_EQ(rehearsal.cells, 3u * 9);
  std::string run;
  for (const TidyRow& row : runs_of(rehearsal)) {
    const bool diverged = row.status == name_of(RunStatus::kDiverged);
    EXPECT_EQ(std::isnan(row.loss), diverged);
    EXPECT_TRUE(std::isfinite(row.spent_flop));
    if (diverged) run = row.run;
  }
  EXPECT_EQ(std::count_if(rehearsal.rows.begin(), rehearsal.rows.end(),
                          [&](const TidyRow& row) { return row.run == run; }),
            1);
  EXPECT_TRUE(any_contains(rehearsal.notes, "1 of 4 runs"));
  words.study.diverged = losses[0] / 2;
  EXPECT_NE(error_of([&] { rehearse_grid(kGrid, words); }).find("--diverged"), std::string::npos);
}

TEST(Rehearse, IsAFunctionOfItsSeed) {
  const StudyFolder tiny(kGrid);
  SimulateWords words = kumar(1e-3);
  const std::string first = tidy_to_csv(rehearse(tiny.study(), words).rows);
  EXPECT_EQ(tidy_to_csv(rehearse(tiny.study(), words).rows), first);
  words.study.seed = 2;
  EXPECT_NE(tidy_to_csv(rehearse(tiny.study(), words).rows), first);
}

TEST(Rehearse, RunsOfOneTrunkShareItsNoise) {
  const std::string trunk =
      "optimizer.batch_power = 0\nschedule.kind = \"wsd\"\nschedule.warmup_steps = 4\n"
      "schedule.decay = 0.2\n[[grid]]\n\"train.tokens\" = [5_120, 25_600]\n"
      "\"train.seed\" = [1, 2]\n";
  // Logarithms of the noise, in its standard deviations.
  const auto noise = [&](double shared) {
    SimulateWords words = kumar();
    words.study.diverged = 1e6;
    const std::vector<TidyRow> exact = runs_of(rehearse_grid(trunk, words));
    words.study.noise = 1e-3;
    words.study.shared = shared;
    const std::vector<TidyRow> noisy = runs_of(rehearse_grid(trunk, words));
    std::map<int64_t, std::vector<double>> by_seed;
    for (size_t i = 0; i < exact.size(); ++i) {
      by_seed[noisy[i].seed.value()].push_back(std::log(noisy[i].loss / exact[i].loss) / 1e-3);
    }
    return by_seed;
  };
  const auto all = noise(1), none = noise(0);
  for (const int64_t seed : {1, 2}) {
    EXPECT_NEAR(all.at(seed)[0], all.at(seed)[1], 1e-9);
    EXPECT_GT(std::abs(none.at(seed)[0] - none.at(seed)[1]), 1e-3);
  }
  EXPECT_GT(std::abs(all.at(1)[0] - all.at(2)[0]), 1e-3);
}

TEST(Rehearse, NeedsNoDataSet) {
  const StudyFolder tiny(kGrid);
  const std::string study = tiny.study()[0], asked = "base.train.validation_tokens=500";
  const std::string nowhere = "base.data.path=/nowhere/data",
                    vocabulary = "base.model.vocabulary=300";
  EXPECT_NE(error_of([&] {
              rehearse({study, nowhere}, kumar());
            }).find("model.vocabulary=512"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              plan_sweep({study, nowhere, vocabulary}, "");
            }),
            "")
      << "only who asks for it gets a plan without data";
  const Rehearsal with = rehearse({study, vocabulary, asked}, kumar(1e-3));
  const Rehearsal without = rehearse({study, nowhere, vocabulary, asked}, kumar(1e-3));
  EXPECT_TRUE(any_contains(without.notes, "/nowhere/data is not there"));
  EXPECT_FALSE(any_contains(with.notes, "not there"));
  const std::set<std::string> of_data{"bits_per_byte", "data_hash",       "unique_tokens",
                                      "epochs",        "validation_hash", "validation_part"};
  // The order within a run's cells, and of runs of one N and D, has the name in it.
  ASSERT_EQ(with.rows.size(), without.rows.size());
  EXPECT_EQ(with.rows[0].validation_tokens, 512);
  for (const TidyRow& row : without.rows) {
    const auto same = std::find_if(with.rows.begin(), with.rows.end(), [&](const TidyRow& other) {
      return other.D == row.D && other.P_w == row.P_w && other.P_post == row.P_post &&
             other.method == row.method && other.calibration_seed == row.calibration_seed;
    });
    ASSERT_NE(same, with.rows.end());
    const Json a = tidy_to_json({row})[0], b = tidy_to_json({*same})[0];
    for (const TidyColumn& column : tidy_columns()) {
      const std::string name = column.name;
      if (name == "run") continue;
      EXPECT_EQ(a[name], of_data.contains(name) ? Json(nullptr) : b[name]) << name;
    }
  }
}

TEST(Rehearse, TakesTheRunsThatASweepWouldMake) {
  const StudyFolder tiny(kGrid);
  EXPECT_EQ(rehearse(tiny.study(), kumar(), {"P_w=4"}).runs, 2u);
  const double all = [&] {
    double flops = 0;
    for (const PlannedRun& run : plan_sweep(tiny.study(), "").runs) flops += run.flops;
    return flops;
  }();
  const Rehearsal cheap =
      rehearse({tiny.study()[0], fmt::format("budget={:.4g} FLOP", all / 2)}, kumar());
  EXPECT_LT(cheap.runs, 4u);
  EXPECT_GT(cheap.runs, 0u);
  const Rehearsal hours = rehearse({tiny.study()[0], "budget=1 h"}, kumar());
  EXPECT_EQ(hours.runs, 4u);
  EXPECT_TRUE(any_contains(hours.notes, "1 h"));
}

TEST(Rehearse, SaysWhatHasNoRows) {
  SimulateWords words;
  words.law = "chinchilla";
  words.constants = kTruth;
  const Rehearsal losses = rehearse_grid(kGrid, words);
  EXPECT_EQ(losses.runs, 4u);
  EXPECT_EQ(losses.cells, 0u);
  EXPECT_TRUE(any_contains(losses.notes, "does not model quantization after training"));
  const StudyFolder tiny(kGrid);
  const Rehearsal in_use =
      rehearse({tiny.study()[0], "ptq.activations=[\"trained\", \"8\"]"}, kumar());
  EXPECT_EQ(in_use.cells, 36u);
  EXPECT_TRUE(any_contains(in_use.notes, "9 of the 18 cells"));
  EXPECT_TRUE(any_contains(rehearse({tiny.study()[0], "checkpoints=2"}, kumar()).notes,
                           "models kept along"));
  words = SimulateWords{};
  words.law = "apple-qat-fraction";
  EXPECT_NE(error_of([&] { rehearse(tiny.study(), words); }).find("predicts no losses"),
            std::string::npos);
}

TEST(Rehearse, AFormulaMayHaveColumnsOfTheRuns) {
  SimulateWords words;
  words.formula.formula = "E + A/N^alpha + k*extra";
  words.constants = {"E=1", "A=20", "alpha=0.3", "k=1"};
  const StudyFolder tiny(kGrid);
  EXPECT_NE(error_of([&] { rehearse(tiny.study(), words); }), "");
  words.formula.formula = "E + A/N^alpha + k*layers";
  words.study.noise = 0;
  for (const TidyRow& row : runs_of(rehearse(tiny.study(), words))) {
    EXPECT_DOUBLE_EQ(row.loss, 1 + 20 * std::pow(static_cast<double>(*row.N), -0.3) +
                                   static_cast<double>(*row.layers));
  }
}

}  // namespace
}  // namespace bitlaw
