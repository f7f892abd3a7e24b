// `bitlaw simulate`: what it writes can be fitted again, and options without effect are refused.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

class SimulateVerb : public World {};

TEST_F(SimulateVerb, AFitOfOwnPartsDrawsThem) {
  json_of({"simulate", "--law",     "kumar-parts", "--params",      "1e8,4e8", "--tokens",
           "2e9,2e10", "--weights", "3,4,6",       "--activations", "5,8",     "--kv",
           "8",        "--keys",    "3,4,6",       "--values",      "3,4,6",   "--embedding",
           "3,4,6",    "--out",     "parts.csv",   "--json"});
  json_of({"fit", "parts.csv", "--law", "kumar-parts", "--draws", "0", "--starts", "8", "--threads",
           "1", "--out", "fit.json", "--json"});
  const Outcome out = run({"simulate", "--fit", "fit.json", "--like", "parts.csv"});
  const std::string header = out.out.substr(0, out.out.find('\n'));
  for (const char* column : {"P_k", "P_v", "P_emb"})
    EXPECT_NE(header.find(column), std::string::npos) << header << out.err;
}

TEST_F(SimulateVerb, OptionsWithoutEffectAreRefused) {
  expect_refused({"simulate", "--law", "chinchilla", "--weights", "3"},
                 {"--weights: chinchilla does not model bits in training"});
  expect_refused({"simulate", "--law", "chinchilla", "--post", "3"}, {"--post", "after training"});
  expect_refused({"simulate", "--law", "chinchilla", "--keys", "3"}, {"keys", "chinchilla"});
  expect_refused({"simulate", "--law", "chinchilla", "--like", "table.csv", "--tokens", "1e9"},
                 {"--tokens: the runs are those of --like"});
  expect_refused({"simulate", "--law", "kumar", "--dry-run", "--out", "new.csv"}, {"--out"});
}

class SimulateStudy : public World {
 protected:
  void write_study(const std::string& rest) {
    write_text(around_.directory / "study.toml",
               "name = \"small\"\n[base]\ndata.path = \"data\"\nmodel.layers = 1\n"
               "model.heads = 2\nmodel.sequence = 32\n" +
                   rest);
  }
};

TEST_F(SimulateStudy, HasTheColumnsThatTheStudyLeaves) {
  write_study(
      "model.width = 32\ntrain.batch_tokens = 256\n[[grid]]\n\"train.tokens\" = [2600]\n"
      "\"recipe.weights\" = [\"16\", \"4\"]\n\"train.seed\" = [1, 2]\n[[grid]]\n"
      "\"train.tokens\" = [2600]\n\"recipe.activations\" = [\"3\"]\n"
      "\"recipe.activations_granularity\" = [\"token\"]\n\"schedule.kind\" = [\"wsd\"]\n"
      "[ptq]\nmethods = [\"rtn\", \"gptq\"]\nbits = [3, 4]\ngroups = [0, 16]\n"
      "calibration_tokens = 500\nevaluation_tokens = 500\n");
  const Outcome sweep = run({"sweep", "study.toml", "--jobs", "1", "--quiet"});
  ASSERT_EQ(sweep.status, 0) << sweep.err;
  const Json real = json_of({"runs", "runs/small", "--json"}).at("rows");
  const Json rehearsed = json_of({"simulate", "--study", "study.toml", "--law", "kumar",
                                  "--diverged", "1e99", "--json"})
                             .at("rows");
  // Measured, or hashes of texts that are cut when they are needed.
  const std::set<std::string> results{"loss",
                                      "loss_standard_error",
                                      "delta",
                                      "standard_error",
                                      "measured_delta",
                                      "measured_standard_error",
                                      "kl",
                                      "same_top",
                                      "bits_per_byte",
                                      "flagged",
                                      "seconds",
                                      "tokens_per_second",
                                      "train_loss",
                                      "engine",
                                      "weights_hash",
                                      "evaluation_hash",
                                      "calibration_hash"};
  ASSERT_EQ(rehearsed.size(), real.size());
  int zero = 0;
  for (size_t i = 0; i < real.size(); ++i) {
    SCOPED_TRACE(i);
    for (const auto& [column, value] : real[i].items()) {
      const Json& planned = rehearsed[i].at(column);
      if (column == "run") {
        EXPECT_EQ(planned, "rehearsed-" + value.get<std::string>());
      } else if (column == "storage_bits" && value.is_number()) {
        EXPECT_NEAR(planned.get<double>(), value.get<double>(), 1e-12);
      } else if (!results.contains(column)) {
        EXPECT_EQ(planned, value) << column;
      }
    }
    for (const char* column : {"loss", "delta", "measured_delta", "bits_per_byte"})
      EXPECT_EQ(rehearsed[i].at(column).is_null(), real[i].at(column).is_null()) << column;
    for (const char* column : {"delta", "standard_error"}) {
      const bool is_zero = real[i].at(column) == 0.0;
      EXPECT_EQ(rehearsed[i].at(column) == 0.0, is_zero) << column;
      zero += is_zero;
    }
  }
  EXPECT_GT(zero, 0) << "deltas that are zero by definition";
}

TEST_F(SimulateStudy, AFitFindsTheConstants) {
  write_study(
      "[variants.size]\na = { \"model.width\" = 16 }\nb = { \"model.width\" = 32 }\n"
      "c = { \"model.width\" = 64 }\nd = { \"model.width\" = 128 }\n[[grid]]\n"
      "size = [\"a\", \"b\", \"c\", \"d\"]\n\"train.tokens\" = [1e6, 4e6, 16e6, 64e6]\n"
      "\"recipe.weights\" = [\"16\", \"3\", \"4\", \"6\"]\n\"train.seed\" = [1, 2]\n"
      "[ptq]\nwhere = { \"recipe.weights\" = \"16\" }\nmethods = [\"rtn\"]\n"
      "bits = [3, 4, 5, 6]\n");
  const std::map<std::string, double> truth{
      {"E", 1.2},     {"A", 28},    {"alpha", 0.26},  {"B", 600},        {"beta", 0.45},
      {"gamma_w", 2}, {"n_w", 0.5}, {"gamma_D", 0.5}, {"gamma_N", 0.33}, {"gamma_post", 0.6}};
  std::string constants;
  for (const auto& [name, value] : truth)
    constants += (constants.empty() ? "" : ",") + name + "=" + std::to_string(value);
  std::vector<std::string> arguments{
      "simulate", "--study", "study.toml",    "--law", "kumar", "--constants",  constants,
      "--noise",  "1e-3",    "--delta-noise", "1e-3",  "--out", "rehearsal.csv"};
  ASSERT_EQ(run(arguments).status, 0);
  const Json fit = json_of({"fit", "rehearsal.csv", "--law", "kumar", "--starts", "8", "--draws",
                            "50", "--threads", "1", "--json"});
  EXPECT_EQ(fit.at("training").at("points"), 128);
  for (const auto& [name, value] : truth) {
    const Json& found = fit.at("parameters").at(name);
    const double low = found.at("low"), high = found.at("high");
    // 90 % intervals: twice as wide, three standard errors.
    EXPECT_LT(low - (high - low) / 2, value) << name;
    EXPECT_GT(high + (high - low) / 2, value) << name;
    EXPECT_LT(high - low, 0.2 * value) << name << ": the study tells it";
  }
}

TEST_F(SimulateStudy, IsReproducibleAndCounts) {
  write_study(
      "model.width = 32\n[[grid]]\n\"train.tokens\" = [1e6, 2e6]\n"
      "[ptq]\nmethods = [\"rtn\"]\nbits = [3]\n");
  const std::vector<std::string> simulate{"simulate", "--study",    "study.toml", "--law",
                                          "kumar",    "--diverged", "99"};
  const auto with = [&](std::vector<std::string> further) {
    further.insert(further.begin(), simulate.begin(), simulate.end());
    return further;
  };
  const Outcome first = run(simulate);
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(run(with({"--out", "a.csv"})).out, "");
  EXPECT_EQ(read_file(around_.directory / "a.csv"), first.out);
  EXPECT_NE(run(with({"--seed", "2"})).out, first.out);
  EXPECT_EQ(json_of(with({"--dry-run", "--json"})), (Json{{"law", "kumar"},
                                                          {"rows", 4},
                                                          {"runs", 2},
                                                          {"diverged", 0},
                                                          {"cells", 2},
                                                          {"zero_cells", 0}}));
  EXPECT_EQ(json_of(with({"--only", "D<1.5e6", "--dry-run", "--json"})).at("runs"), 1);
  EXPECT_EQ(json_of(with({"base.train.seed=7", "--json"})).at("rows")[0].at("seed"), 7);
}

TEST_F(SimulateStudy, WhatDoesNotGoWithAStudyIsRefused) {
  write_study("model.width = 32\n[[grid]]\n\"train.tokens\" = [1e6]\n");
  const auto refused = [&](std::vector<std::string> further, std::vector<std::string> parts) {
    further.insert(further.begin(), {"simulate", "--study", "study.toml", "--law", "kumar"});
    expect_refused(further, parts);
  };
  refused({"--like", "table.csv"}, {"--like", "--study"});
  for (const char* option :
       {"--params", "--tokens", "--ratios", "--weights", "--activations", "--kv", "--keys",
        "--values", "--embedding", "--head", "--tied", "--post", "--replicates"})
    refused({option, "3"}, {std::string(option) + ": the runs are those of --study"});
  refused({"--classes", "W4A4"}, {"--classes: the runs are those of --study"});
  refused({"--trunk", "size"}, {"--trunk: the study says"});
  refused({"--out", "study.toml"}, {"study.toml"});
  refused({"--out", "new.csv", "--dry-run"}, {"--out"});
  refused({"--only", "P_w=5"}, {"--only", "none"});
  refused({"base.modle.width=3"}, {"modle"});
  refused({"base.data.path=nowhere"}, {"nowhere", "base.model.vocabulary=512"});
  expect_refused({"simulate", "--law", "kumar", "base.train.seed=2"},
                 {"base.train.seed=2", "--study"});
  expect_refused({"simulate", "--law", "kumar", "--only", "P_w=4"}, {"--only", "--study"});
  expect_refused({"simulate", "--law", "kumar", "--study", "nowhere.toml"}, {"nowhere.toml"});
}

}  // namespace
}  // namespace bitlaw
