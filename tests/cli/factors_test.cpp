// Rows that differ in a factor are never pooled silently, by any verb that reads a table of runs.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "cli/world.h"

namespace bitlaw {
namespace {

class Factors : public World {
 protected:
  // A study of a known law at two learning rates: by rule of N, or for each N and D.
  void write_table(bool by_rule) {
    std::string table = "N,D,loss,seed,lr\n";
    for (int i = 1; i <= 4; ++i) {
      for (int j = 1; j <= 4; ++j) {
        for (int seed = 1; seed <= 2; ++seed) {
          const double N = 1e6 * std::pow(3, i), D = 1e8 * std::pow(3, j);
          const double loss = kE + kA / std::pow(N, kAlpha) + kB / std::pow(D, kBeta);
          if (seed == 1) squares_ += loss * loss * 1e-8 / 2;  // two seeds 1e-4 apart
          table += fmt::format("{},{},{:.9f},{},{}\n", N, D, loss * (1 + 1e-4 * seed), seed,
                               (by_rule ? i : seed) > 1 ? "1e-2" : "0.02");
        }
      }
    }
    write_text(around_.directory / "study.csv", table);
  }

  std::vector<std::string> verb(std::vector<std::string> arguments,
                                const std::vector<std::string>& further = {}) const {
    arguments.insert(arguments.end(), further.begin(), further.end());
    return arguments;
  }

  double squares_ = 0;  // of the losses' deviations from the mean of their setting
  const std::vector<std::vector<std::string>> verbs_{
      {"fit", "study.csv", "--law", "chinchilla", "--draws", "20", "--starts", "8"},
      {"compare", "study.csv", "--laws", "chinchilla", "--hold-out", "largest-N"},
      {"design", "study.csv", "--law", "chinchilla", "--shrink", "alpha", "--candidates",
       "N=1e7;D=1e9", "--runs", "1"}};
};

TEST_F(Factors, ARuleIsADesign) {
  write_table(true);
  for (const auto& arguments : verbs_) {
    const Outcome out = run(arguments);
    EXPECT_EQ(out.status, 0) << out.err;
    EXPECT_EQ(out.err.find("Pooled"), std::string::npos) << out.err;
  }
  const Json fit = json_of(verb(verbs_[0], {"--json"}));
  const Json& error = fit.at("table").at("pure_error");
  EXPECT_EQ(error.at("cells"), 16);
  EXPECT_EQ(error.at("freedom"), 16);
  EXPECT_NEAR(error.at("deviation").get<double>(), std::sqrt(squares_ / 16), 1e-9);
  EXPECT_NE(run(verbs_[0]).out.find("pure error: losses of 32 runs in 16 settings"),
            std::string::npos);
}

TEST_F(Factors, FitCompareAndDesignRefuseOthers) {
  write_table(false);
  for (const auto& arguments : verbs_) {
    expect_refused(arguments, {"study.csv: rows differ in lr (0.01: 16 rows, 0.02: 16 rows) at the "
                               "same N, D and precision",
                               "give --where lr=0.01 or --pool lr"});
    EXPECT_EQ(run(verb(arguments, {"--where", "lr=0.01"})).status, 0);
    const Outcome pooled = run(verb(arguments, {"--pool", "lr"}));
    EXPECT_EQ(pooled.status, 0) << pooled.err;
    EXPECT_NE(pooled.err.find("note: Pooled: rows differ in lr (0.01: 16 rows, 0.02: 16 rows)"),
              std::string::npos)
        << pooled.err;
    expect_refused(verb(arguments, {"--pool", "lrs"}), {"unknown factor 'lrs'", "'lr'"});
  }
  ASSERT_EQ(
      run({"fit", "study.csv", "--law", "chinchilla", "--pool", "lr", "--out", "fit.json"}).status,
      0);
  const Outcome plan = run({"plan", "--fit", "fit.json", "--compute", "1e18"});
  EXPECT_NE(plan.out.find("The fit: Pooled: rows differ in lr"), std::string::npos) << plan.out;
  EXPECT_EQ(run({"simulate", "--law", "chinchilla", "--like", "study.csv"}).status, 0)
      << "no result of the table is used";
}

TEST_F(Factors, ReportRefusesOthers) {
  ASSERT_EQ(run(tiny_run({"train.lr=0.004"})).status, 0);
  expect_refused({"report", "runs"}, {"runs: rows differ in lr (0.004: 1 row, ", "--pool lr"});
  EXPECT_EQ(run({"report", "runs", "lr=0.004"}).status, 0);
  const Json pooled = json_of({"report", "runs", "--pool", "lr", "--json"});
  ASSERT_EQ(pooled.at("notes").size(), 1u);
  EXPECT_NE(pooled.at("notes")[0].get<std::string>().find("Pooled: rows differ in lr"),
            std::string::npos);
  expect_refused({"report", "runs", "--pool", "rate"}, {"unknown factor 'rate'"});
}

TEST_F(Factors, AListWithBlanksIsToldToHaveCommas) {
  write_table(false);
  const std::string advice = "--pool takes one list with commas, as in --pool lr,batch";
  for (const auto& arguments : verbs_)
    expect_refused(verb(arguments, {"--pool", "lr", "batch"}), {"batch was not expected", advice});
  expect_refused({"fit", "--pool", "lr", "batch", "study.csv"}, {advice});
  expect_refused({"report", "runs", "--pool", "lr", "batch"}, {"batch was not expected", advice});
}

TEST_F(Factors, OldNamesInConditionsOnRunsAreReadWithANote) {
  ASSERT_EQ(run(tiny_run({"recipe.activations=8"})).status, 0);
  const Outcome out = run({"runs", "runs", "granularity_a=tensor", "method=none", "--csv", "-"});
  EXPECT_NE(out.err.find("note: granularity_a = tensor means one scale per sequence"),
            std::string::npos)
      << out.err;
  EXPECT_NE(out.out.find(",int8,"), std::string::npos) << out.out;
  const Outcome table =
      run({"fit", "runs", "--where", "granularity_a=tensor", "--law", "chinchilla", "--dry-run"});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_NE(table.err.find("note: granularity_a = tensor"), std::string::npos) << table.err;
}

TEST_F(Factors, AReportWithoutAFitHasNoTableOfConstants) {
  const Outcome out = run({"report", "runs"});
  EXPECT_NE(out.out.find("There is no fit."), std::string::npos) << out.out;
  EXPECT_EQ(out.out.find("constant "), std::string::npos) << out.out;
}

}  // namespace
}  // namespace bitlaw
