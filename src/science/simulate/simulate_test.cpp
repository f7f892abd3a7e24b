#include "simulate/simulate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "table/table.h"
#include "table/write_table.h"

namespace bitlaw {
namespace {

StudyOptions small() {
  StudyOptions options;
  options.params = {1e7, 4e7}, options.tokens = {1e9, 4e9};
  options.weights = {4, 6}, options.activations = {6}, options.kv = {}, options.post = {4, 5};
  return options;
}

SimulatedStudy draw(const char* name, const StudyOptions& options) {
  const Law& law = *find_law(name);
  const std::vector<Observation> runs = design_runs(law, options);
  return draw_study(truth_for(law, runs, "", nullptr, {}), runs, options);
}

std::string error_of(const char* law, const StudyOptions& options) {
  try {
    draw(law, options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// Every part by itself; a law that does not have it refuses.
TEST(Simulate, PartsOfTheirOwnAreDrawnAndWritten) {
  StudyOptions options = small();
  options.keys = {3}, options.values = {4}, options.embedding = {5}, options.head = {6};
  const SimulatedStudy study = draw("kumar-parts", options);
  const std::string csv = table_to_csv(study.rows);
  const std::string header = csv.substr(0, csv.find('\n'));
  for (const char* column : {"P_k", "P_v", "P_emb", "P_head"})
    EXPECT_NE(header.find(column), std::string::npos) << column;
  std::set<std::string> clusters;
  for (const Observation& row : study.rows) clusters.insert(row.cluster);
  EXPECT_EQ(clusters.size(), study.rows.size()) << "every run has a name of its own";
  EXPECT_EQ(read_table(csv, "t").runs.size(), study.rows.size());
  EXPECT_NE(error_of("kumar", options).find("keys: kumar has no constants"), std::string::npos);
}

TEST(Simulate, WithoutNoiseEveryLossIsTheLaws) {
  StudyOptions options = small();
  options.noise = options.delta_noise = 0;
  for (const Law& law : laws()) {
    if (law.predicts != Predicts::kLoss) continue;
    const std::vector<Observation> runs = design_runs(law, options);
    const BoundLaw bound = bind_law(law, runs);
    std::vector<std::string> of_classes;  // which nobody published for all of these precisions
    for (const BoundClass& each : bound.law().classes) {
      of_classes.push_back(fmt::format("{}=0.5", bound.law().parameters[each.position].name));
    }
    const Truth truth = truth_for(law, runs, "", nullptr, of_classes);
    options.diverged = std::numeric_limits<double>::infinity();
    const SimulatedStudy study = draw_study(truth, runs, options);
    ASSERT_EQ(study.rows.size(), runs.size());
    for (const Observation& row : study.rows) {
      const double expected = predict(truth.law.law(), truth.values.data(), row);
      EXPECT_DOUBLE_EQ(row.loss_nats, expected) << law.name;
    }
  }
}

TEST(Simulate, NoConstantIsMadeUp) {
  EXPECT_NE(error_of("quest", small()).find("eff[W16A6] of quest was never published"),
            std::string::npos);
  StudyOptions known = small();
  known.weights = {4}, known.activations = {};
  EXPECT_EQ(error_of("quest", known), "");  // eff of W4A16 is
}

TEST(Simulate, TheDesignIsWhatWasAskedFor) {
  StudyOptions options = small();
  options.tied = {8}, options.ratios = {50}, options.replicates = 2;
  // Per size and token count: 16 bits, two of weights, one of activations, one tied; two seeds;
  // and two post-training precisions for each of the two seeds at 16 bits.
  const std::vector<Observation> runs = design_runs(*find_law("kumar"), options);
  EXPECT_EQ(runs.size(), 2u * 3 * (5 * 2 + 2 * 2));
  std::set<std::string> clusters;
  int cells = 0, at_ratio = 0;
  for (const Observation& run : runs) {
    clusters.insert(run.cluster);
    cells += run.is_post_training();
    at_ratio += run.tokens == 50 * run.params;
  }
  EXPECT_EQ(clusters.size(), 2u * 3 * 5 * 2);
  EXPECT_EQ(cells, 2 * 3 * 4);
  EXPECT_EQ(at_ratio, 2 * 14);
  options.trunk = "size";  // what differs in D alone is of one trunk
  clusters.clear();
  for (const Observation& run : design_runs(*find_law("kumar"), options)) {
    clusters.insert(run.cluster);
  }
  EXPECT_EQ(clusters.size(), 2u * 5 * 2);
  // A law that knows no bits gets none.
  EXPECT_EQ(design_runs(*find_law("chinchilla"), options).size(), 2u * 3 * 2);
}

// Means and variances of 20000 draws, within five standard errors of each.
TEST(Simulate, NoiseHasTheAskedSpreadAndCorrelation) {
  StudyOptions options = small();
  options.params = {1e8};
  options.tokens = {1e9, 4e9};
  options.weights = options.activations = options.post = {};
  options.trunk = "size", options.replicates = 10000, options.noise = 0.02, options.shared = 0.7;
  const SimulatedStudy study = draw("chinchilla", options);
  const Law& law = *find_law("chinchilla");
  const std::vector<Observation> runs = design_runs(law, options);
  const Truth truth = truth_for(law, runs, "", nullptr, {});
  ASSERT_EQ(study.rows.size(), 20000u);
  double sum = 0, squares = 0, products = 0;
  const auto error = [&](size_t i) {
    const Observation& row = study.rows[i];
    return std::log(row.loss_nats / predict(law, truth.values.data(), row)) / options.noise;
  };
  for (size_t i = 0; i < 10000; ++i) {  // the replicates of the first D, then those of the second
    const double a = error(i), b = error(i + 10000);
    ASSERT_EQ(study.rows[i].cluster, study.rows[i + 10000].cluster);
    sum += a + b, squares += a * a + b * b, products += a * b;
  }
  // Of the pair's sum: variance 2 + 2 * 0.7; of z^2: 2, and correlation 0.49; of a b: 1 + 0.49.
  EXPECT_NEAR(sum / 20000, 0, 5 * std::sqrt(3.4 / 10000) / 2);
  EXPECT_NEAR(squares / 20000, 1, 5 * std::sqrt(2 * (1 + 0.49) / 20000));
  EXPECT_NEAR(products / 10000, 0.7, 5 * std::sqrt(1.49 / 10000));
}

TEST(Simulate, IsAFunctionOfItsSeed) {
  StudyOptions options = small();
  const std::string first = table_to_csv(draw("kumar", options).rows);
  EXPECT_EQ(table_to_csv(draw("kumar", options).rows), first);
  options.seed = 2;
  EXPECT_NE(table_to_csv(draw("kumar", options).rows), first);
}

TEST(Simulate, TheTableReadsBackAsItWas) {
  StudyOptions options = small();
  options.replicates = 2;
  const SimulatedStudy study = draw("kumar", options);
  const Table table = read_table(table_to_csv(study.rows), "study.csv");
  ASSERT_EQ(table.runs.size(), study.rows.size());
  EXPECT_EQ(table_to_csv(table.runs).find("nan"), std::string::npos);
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const Observation &read = table.runs[i], &drawn = study.rows[i];
    EXPECT_EQ(read.loss_nats, drawn.loss_nats);
    EXPECT_EQ(read.params, drawn.params);
    EXPECT_EQ(read.tokens, drawn.tokens);
    EXPECT_EQ(read.bits_weights, drawn.bits_weights);
    EXPECT_EQ(read.bits_activations, drawn.bits_activations);
    EXPECT_EQ(read.bits_post, drawn.bits_post);
    EXPECT_EQ(read.cluster, drawn.cluster);
    EXPECT_EQ(read.method, drawn.method);
    if (drawn.is_post_training()) {
      EXPECT_EQ(read.delta_nats, drawn.delta_nats);
      EXPECT_EQ(read.delta_standard_error, drawn.delta_standard_error);
    }
  }
}

TEST(Simulate, TheRowsOfATableGetOtherLosses) {
  StudyOptions options = small();
  const SimulatedStudy study = draw("kumar", options);
  const Law& law = *find_law("kumar");
  const Truth truth = truth_for(law, study.rows, "", nullptr, {"E=1"});
  options.noise = options.delta_noise = 0;
  const SimulatedStudy again = draw_study(truth, study.rows, options);
  ASSERT_EQ(again.rows.size(), study.rows.size());
  for (size_t i = 0; i < again.rows.size(); ++i) {
    EXPECT_EQ(again.rows[i].cluster, study.rows[i].cluster);
    EXPECT_LT(again.rows[i].loss_nats, study.rows[i].loss_nats);  // E was 2.76
  }
}

TEST(Simulate, ACellsLossIsItsRunsLossPlusDelta) {
  const SimulatedStudy study = draw("kumar", small());
  int cells = 0;
  for (const Observation& cell : study.rows) {
    if (!cell.is_post_training()) continue;
    ++cells;
    for (const Observation& run : study.rows) {
      if (run.is_post_training() || run.cluster != cell.cluster) continue;
      EXPECT_DOUBLE_EQ(cell.loss_nats, run.loss_nats + cell.delta_nats);
    }
  }
  EXPECT_EQ(cells, 8);
}

TEST(Simulate, RunsThatDivergeAreLeftOutAndCounted) {
  StudyOptions options = small();
  options.activations = {3};  // f_a(3) is -0.05
  const SimulatedStudy study = draw("kumar", options);
  EXPECT_EQ(study.diverged, 4);
  for (const Observation& row : study.rows) EXPECT_GT(row.bits_activations, 3);
}

TEST(Simulate, WhatMakesNoSenseGetsOneSentence) {
  const auto with = [&](auto change) {
    StudyOptions options = small();
    change(options);
    return error_of("kumar", options);
  };
  EXPECT_NE(with([](auto& o) { o.params = {}; }).find("at least one size"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.tokens = {-1}; }).find("tokens: -1"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.shared = 2; }).find("between 0 and 1"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.trunk = "tree"; }).find("run or size"), std::string::npos);
  for (const double noise : {-1., 1.5, std::numeric_limits<double>::infinity()}) {
    EXPECT_NE(with([&](auto& o) { o.noise = noise; }).find("between 0 and 1"), std::string::npos);
  }
  EXPECT_NE(with([](auto& o) { o.delta_noise = -1; }).find("0 or above"), std::string::npos);
  const std::vector<Observation> runs = design_runs(*find_law("kumar"), small());
  const auto truth = [&](const char* set, std::vector<std::string> constants) -> std::string {
    try {
      truth_for(*find_law("kumar"), runs, set, nullptr, constants);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_NE(truth("mine", {}).find("it has published, tied"), std::string::npos);
  EXPECT_NE(truth("", {"gama_w=1"}).find("did you mean 'gamma_w'?"), std::string::npos);
  EXPECT_NE(truth("", {"E"}).find("NAME=NUMBER"), std::string::npos);
  EXPECT_EQ(truth("tied", {"E=2"}), "");
  try {
    draw_study(truth_for(*find_law("kumar"), runs, "", nullptr, {"E=-9"}), runs, small());
    ADD_FAILURE() << "losses below zero were drawn";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("losses are above zero"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitlaw
