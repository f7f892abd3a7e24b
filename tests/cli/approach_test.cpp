// `bitlaw fit --approach`: isoFLOP budgets, learning curves, and what they refuse.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/file.h"
#include "base/random.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

double loss_of(double params, double tokens) {
  return 1.7 + 400 * std::pow(params, -0.34) + 400 * std::pow(tokens, -0.34);
}

class ApproachVerb : public World {
 protected:
  // Four budgets of six sizes around the optimum, which is N = D here.
  void write_isoflop(double from, const std::string& more_columns = "",
                     const std::string& more = "") {
    std::string text = "N,D,loss" + more_columns + "\n";
    uint64_t row = 0;
    for (int b = 0; b < 4; ++b) {
      const double budget = 1e17 * std::pow(8.0, b);
      for (int i = 0; i < 6; ++i) {
        const double params = std::sqrt(budget / 6) * from * std::pow(1.6, i);
        const double tokens = budget / (6 * params);
        const double noise = std::exp(5e-4 * random_normal(1, 1, row++));
        text += std::to_string(params) + ',' + std::to_string(tokens) + ',' +
                std::to_string(loss_of(params, tokens) * noise) + more + '\n';
      }
    }
    write_text(around_.directory / "t.csv", text);
  }
  void write_curves() {
    std::string text = "model,N,D,step,loss\n";
    for (int size = 0; size < 5; ++size) {
      const double params = 1e7 * std::pow(2.0, size);
      for (int step = 1; step <= 200; ++step) {
        const double planned = 10 * params, tokens = planned * step / 200;
        text += "m" + std::to_string(size) + ',' + std::to_string(params) + ',' +
                std::to_string(planned) + ',' + std::to_string(step) + ',' +
                std::to_string(loss_of(params, tokens)) + '\n';
      }
    }
    write_text(around_.directory / "curves.csv", text);
  }
};

TEST_F(ApproachVerb, IsoflopAndParametricAgree) {
  write_isoflop(0.32);
  const Json out = json_of({"fit", "t.csv", "--approach", "all", "--compute", "1e20,1e21",
                            "--draws", "60", "--threads", "1", "--out", "kept.json", "--json"});
  EXPECT_EQ(out.at("isoflop").at("budgets").size(), 4U);
  for (const char* name : {"isoflop", "parametric"}) {
    const Json& found = out.at(name);
    EXPECT_NEAR(found.at("a").at("value").get<double>(), 0.5, 0.03) << name;
    EXPECT_LT(found.at("a").at("low"), found.at("a").at("high"));
    ASSERT_EQ(found.at("at").size(), 2U);
    EXPECT_GT(found.at("at")[1].at("beyond"), 10);
  }
  EXPECT_FALSE(out.at("envelope").at("missing").is_null());
  ASSERT_EQ(out.at("agreement").size(), 1U);
  EXPECT_NE(out.at("agreement")[0].get<std::string>().find("agree on a"), std::string::npos);
  EXPECT_EQ(parse_json(read_file(around_.directory / "kept.json"), "kept.json"), out);
}

TEST_F(ApproachVerb, WithoutAMinimumThereIsNoNumber) {
  write_isoflop(1.7);  // every size is above the optimum
  const Outcome out = run({"fit", "t.csv", "--approach", "isoflop", "--threads", "1"});
  EXPECT_EQ(out.status, 1);
  EXPECT_NE(out.out.find("below the smallest size trained"), std::string::npos) << out.out;
  EXPECT_NE(out.out.find("none: no budget has a minimum"), std::string::npos) << out.out;
}

// D is that of the whole run in every row: the steps say how much of it a row has seen.
TEST_F(ApproachVerb, TheEnvelopeReadsSteps) {
  write_curves();
  const Json out =
      json_of({"fit", "curves.csv", "--approach", "envelope", "--cluster", "model", "--json"});
  EXPECT_EQ(out.at("envelope").at("crossings").size(), 4U);
  EXPECT_NEAR(out.at("envelope").at("a").at("value").get<double>(), 0.5, 0.01);
  EXPECT_NE(dump_json(out.at("notes")).find("does not say the schedule"), std::string::npos);
}

// Runs of our own have their curves in metrics.jsonl.
TEST_F(ApproachVerb, TheEnvelopeReadsTheCurvesOfRuns) {
  for (const char* width : {"model.width=16", "model.width=64"}) {
    const Outcome made =
        run(tiny_run({width, "run.log_steps=1", "run.directory=sizes", "model.layers=1"}));
    ASSERT_EQ(made.status, 0) << made.err;
  }
  const Outcome out = run({"fit", "sizes", "--approach", "envelope", "--json", "--pool", "all"});
  const Json document = parse_json(out.out, "the output");
  EXPECT_EQ(document.at("envelope").at("curves"), 2);
  EXPECT_EQ(document.at("envelope").at("sizes"), 2);
  const std::string notes = dump_json(document.at("notes"));
  EXPECT_NE(notes.find("curves are of the training loss"), std::string::npos) << notes;
  EXPECT_NE(notes.find("schedule of the learning rate is cosine"), std::string::npos) << notes;
  EXPECT_EQ(out.status, 1);  // two sizes cross once at most
}

// The page about a table has what the verbs found.
TEST_F(ApproachVerb, AReportDrawsATable) {
  write_isoflop(0.32);
  run({"fit", "t.csv", "--draws", "30", "--threads", "1", "--profile", "alpha", "--out",
       "fit.json"});
  run({"compare", "t.csv", "--laws", "chinchilla,gadre", "--threads", "1", "--out",
       "compare.json"});
  const std::vector<std::string> report{"report",   "t.csv",     "N>0",         "--fit",
                                        "fit.json", "--compare", "compare.json"};
  std::vector<std::string> as_json = report;
  as_json.emplace_back("--json");
  const Json document = json_of(as_json);
  EXPECT_EQ(document.at("rows").size(), 24U);
  EXPECT_EQ(document.at("figures").at("isoflop").at("budgets").size(), 4U);
  EXPECT_EQ(document.at("figures").at("residuals").at("panels").size(), 3U);
  EXPECT_EQ(document.at("figures").at("profiles").size(), 1U);
  EXPECT_EQ(document.at("comparison").at("laws").size(), 2U);
  EXPECT_EQ(run(report).status, 0);
  EXPECT_NE(read_file(around_.directory / "report.html").find("isoFLOP curves"), std::string::npos);
  // Options of tables say nothing about a directory of runs, whose columns are known.
  expect_refused({"report", "runs", "--columns", "N=params"}, {"--columns", "directory of runs"});
  expect_refused({"report", "t.csv", "--compare", "fit.json"},
                 {"fit.json", "bitlaw compare --out"});
  expect_refused({"report", "t.csv", "--out", "t.csv"}, {"t.csv"});
}

// A frontier is a budget and a loss: neither N nor D.
TEST_F(ApproachVerb, APowerLawNeedsNoSizes) {
  std::string text = "budget,macro_loss\n";
  for (int i = 0; i < 12; ++i) {
    const double compute = 1e18 * std::pow(2.0, i);
    text += std::to_string(compute) + ',' +
            std::to_string((1.6 + 95 * std::pow(compute, -0.094)) *
                           std::exp(2e-4 * random_normal(1, 1, static_cast<uint64_t>(i)))) +
            '\n';
  }
  write_text(around_.directory / "frontier.csv", text);
  expect_refused({"fit", "frontier.csv", "--columns", "C=budget,loss=macro_loss"},
                 {"no column N", "`bitlaw fit --power-law C` fits L = E + A C^-a"});
  const std::vector<std::vector<std::string>> spellings{
      {"--power-law", "C", "--columns", "C=budget,loss=macro_loss"},
      {"--power-law", "budget", "--columns", "loss=macro_loss"}};
  for (const std::vector<std::string>& spelling : spellings) {
    std::vector<std::string> fit{"fit",      "frontier.csv", "--draws",   "60",
                                 "--starts", "16",           "--threads", "1",
                                 "--out",    "power.json",   "--json"};
    fit.insert(fit.end(), spelling.begin(), spelling.end());
    const Json made = json_of(fit);
    const Json& a = made.at("parameters").at("a");
    EXPECT_TRUE(a.at("low") <= 0.094 && 0.094 <= a.at("high")) << dump_json(a);
    EXPECT_NEAR(a.at("value").get<double>(), 0.094, 0.05);
    EXPECT_FALSE(made.at("studied").contains("most_params"));
    const Json near = json_of({"predict", "--fit", "power.json", "budget=3e20", "--json"});
    EXPECT_NEAR(near.at("predictions")[0].at("loss").get<double>(),
                1.6 + 95 * std::pow(3e20, -0.094), 0.01);
    EXPECT_TRUE(near.at("predictions")[0].at("beyond").empty());
    const Json far = json_of({"predict", "--fit", "power.json", "budget=1e24", "--json"});
    ASSERT_EQ(far.at("predictions")[0].at("beyond").size(), 1U);
    EXPECT_NE(far.at("predictions")[0].at("beyond")[0].get<std::string>().find("budget"),
              std::string::npos);
  }
  expect_refused({"plan", "--fit", "power.json", "--compute", "1e21"}, {"neither N nor D"});
  expect_refused({"report", "frontier.csv", "--fit", "power.json", "--columns", "loss=macro_loss"},
                 {"neither N nor D"});
  expect_refused({"fit", "frontier.csv", "--power-law", "bugdet"}, {"bugdet", "no such column"});
  expect_refused({"fit", "frontier.csv", "--power-law", "C", "--law", "kumar"}, {"--power-law"});
}

// C of a table that has N and D alone is 6 N D.
TEST_F(ApproachVerb, APowerLawInComputeOfSizes) {
  write_isoflop(0.32);
  const Json made = json_of({"fit", "t.csv", "--power-law", "C", "--draws", "20", "--starts", "8",
                             "--threads", "1", "--json"});
  EXPECT_EQ(made.at("law"), "power-law");
  EXPECT_FALSE(made.at("studied").at("most_params").is_null());
  // Such a law is asked for its loss at a C, and has no N and D to plan.
  run({"fit", "t.csv", "--power-law", "C", "--draws", "20", "--starts", "8", "--threads", "1",
       "--out", "power.json"});
  const Json far = json_of({"predict", "--fit", "power.json", "C=1e24", "--json"});
  EXPECT_EQ(far.at("predictions")[0].at("beyond").size(), 1U);
  EXPECT_FALSE(far.at("predictions")[0].at("run").is_null());
  expect_refused({"predict", "--fit", "power.json", "C=1e24", "P_w=4"}, {"C alone"});
  expect_refused({"plan", "--fit", "power.json", "--compute", "1e21"}, {"C = 6 N D alone"});
}

// The sentence is an error, on standard error, and the only one.
TEST_F(ApproachVerb, TablesWithoutCurvesOrBudgetsGetOneRefusal) {
  write_text(around_.directory / "few.csv",
             "N,D,P_w,loss\n1e8,1e9,16,4\n2e8,3e9,16,3.5\n4e8,1e10,16,3.1\n1e8,1e9,4,4.2\n");
  expect_refused({"fit", "few.csv", "--where", "P_w=16", "--approach", "envelope"},
                 {"--approach envelope: ", "no learning curves"});
  expect_refused({"fit", "few.csv", "--where", "P_w=16", "--approach", "isoflop"},
                 {"--approach isoflop: ", "--budget-tolerance", "--approach parametric"});
  expect_refused({"fit", "few.csv", "--approach", "isoflop"},
                 {"differ in precision, and no precision has a budget of three sizes"});
}

TEST_F(ApproachVerb, OptionsWithoutEffectAreRefused) {
  write_isoflop(0.32);
  const auto refused = [&](std::vector<std::string> more, std::vector<std::string> parts) {
    std::vector<std::string> arguments{"fit", "t.csv"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_refused(arguments, parts);
  };
  refused({"--approach", "all", "--hold-out"}, {"--hold-out: "});
  refused({"--approach", "all", "--profile", "all"}, {"--profile: "});
  refused({"--approach", "envelope", "--law", "chinchilla"}, {"--law: "});
  refused({"--approach", "parametric", "--budget-tolerance", "0.2"}, {"--budget-tolerance: "});
  refused({"--approach", "all", "--compute", "-1"}, {"--compute: -1 "});
  refused({"--power-law", "N", "--params", "total"}, {"--params: "});
  refused({"--law", "chinchilla", "--joint"}, {"--joint: chinchilla"});
  refused({"--law", "chinchilla", "--objective", "lad", "--huber-delta", "0.1"}, {"--huber-delta"});
  refused({"--law", "chinchilla", "--dry-run", "--out", "f.json"}, {"--out: "});
  expect_refused({"compare", "t.csv", "--hold-out", "largest-N", "--folds", "3"}, {"--folds: "});
  expect_refused({"compare", "t.csv", "--hold-out", "nosuch"}, {"--hold-out: "});
  expect_refused({"fit", "t.csv", "--params", "totl"}, {"--params: totl"});
}

// C of the table is what the approaches and a power law in C are about.
TEST_F(ApproachVerb, AComputeThatIsUsedIsNotSaidToBeUnused) {
  write_isoflop(0.32);
  const std::vector<std::string> set{"fit",       "t.csv", "--set",   "C=8*N*D",
                                     "--threads", "1",     "--draws", "0"};
  const auto said = [&](std::vector<std::string> more) {
    more.insert(more.begin(), set.begin(), set.end());
    return run(more).err.find("C is not.") != std::string::npos;
  };
  EXPECT_TRUE(said({"--law", "chinchilla"}));
  EXPECT_FALSE(said({"--approach", "isoflop"}));
  EXPECT_FALSE(said({"--power-law", "C"}));
}

TEST_F(ApproachVerb, RefusesWhatItCannotUse) {
  write_isoflop(0.32, ",P_w", ",4");
  const std::string text = read_file(around_.directory / "t.csv");
  write_text(around_.directory / "mixed.csv", text + "1e9,1e9,3.1,16\n");
  const Outcome mixed = run({"fit", "mixed.csv", "--approach", "all"});
  EXPECT_EQ(mixed.status, 1);
  EXPECT_NE(mixed.err.find("differ in precision"), std::string::npos) << mixed.err;
  EXPECT_NE(run({"fit", "t.csv", "--approach", "isoflp"}).status, 0);
  const Outcome alone = run({"fit", "t.csv", "--compute", "1e20"});
  EXPECT_NE(alone.status, 0);
  EXPECT_NE(alone.err.find("are for --approach"), std::string::npos) << alone.err;
  EXPECT_NE(run({"fit", "t.csv", "--approach", "all", "--residuals", "r.csv"}).status, 0);
  expect_refused({"fit", "t.csv", "--approach", "all", "--by", "P_w"}, {"--by", "--where"});
  expect_refused({"fit", "t.csv", "--approach", "all", "--gap-to", "bf16"}, {"--gap-to"});
}

}  // namespace
}  // namespace bitlaw
