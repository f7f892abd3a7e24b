#include "table/curves.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "table/row_clusters.h"
#include "table/table.h"

namespace bitlaw {
namespace {

constexpr double kNoStep = kUnknown;

std::vector<CurvePoint> curve_of(const std::string& key, const std::vector<double>& tokens,
                                 bool with_steps = false) {
  std::vector<CurvePoint> out;
  for (size_t i = 0; i < tokens.size(); ++i)
    out.push_back({key, tokens[i], with_steps ? double(i + 1) * 100 : kNoStep});
  return out;
}

std::vector<double> in_steps_of(double step, int count) {
  std::vector<double> out;
  for (int i = 1; i <= count; ++i) out.push_back(step * i);
  return out;
}

TEST(Curves, EqualStepsOrAColumnOfStepsMakeACurve) {
  EXPECT_EQ(find_curves(curve_of("a", in_steps_of(1e8, 40))).count, 1);
  EXPECT_EQ(find_curves(curve_of("a", std::vector<double>(20, 1e9), true)).count, 1);
  EXPECT_TRUE(find_curves(curve_of("a", std::vector<double>(20, 1e9), true)).same_tokens);
  // Pythia keeps models at 1, 2, 4 ... 512 steps, then at every thousand.
  std::vector<double> pythia;
  for (double step = 1; step <= 512; step *= 2) pythia.push_back(2e6 * step);
  for (int i = 1; i <= 143; ++i) pythia.push_back(2e9 * i);
  EXPECT_EQ(find_curves(curve_of("a", pythia)).points, 153);

  std::vector<CurvePoint> two = curve_of("a", in_steps_of(1e8, 20));
  for (const CurvePoint& point : curve_of("b", in_steps_of(1e8, 20))) two.push_back(point);
  const Curves curves = find_curves(two);
  EXPECT_EQ(curves.count, 2);
  EXPECT_NE(curves.curve.front(), curves.curve.back());
}

TEST(Curves, AGridOfRunsIsNone) {
  std::vector<double> geometric;
  for (int i = 0; i < 20; ++i) geometric.push_back(1e8 * std::pow(1.7, (i * 7) % 20));
  EXPECT_EQ(find_curves(curve_of("a", geometric)).count, 0);
  EXPECT_EQ(find_curves(curve_of("a", in_steps_of(1e9, 8))).count, 0) << "few";
  EXPECT_EQ(find_curves(curve_of("a", std::vector<double>(40, 1e9))).count, 0) << "replicates";
  EXPECT_EQ(find_curves({}).count, 0);
}

TEST(Curves, FewPointsAreOneIfTheyHaveSteps) {
  const auto with_steps = [](int count, bool growing) {
    std::vector<CurvePoint> points;
    for (int i = 0; i < count; ++i)
      points.push_back({"a", 1e8 * std::pow(2, i), growing ? 1000 * std::pow(2, i) : 1000});
    return find_curves(points).count;
  };
  EXPECT_EQ(with_steps(5, true), 1);
  EXPECT_EQ(with_steps(4, true), 0);
  EXPECT_EQ(with_steps(9, false), 0) << "one step";
}

// Three models at 20 points each; `head` and `tail` are more columns.
std::string three_curves(const std::string& names,
                         const std::function<std::string(int, int)>& more) {
  std::string text = "N,D,loss" + names + "\n";
  for (int model = 1; model <= 3; ++model) {
    for (int i = 1; i <= 20; ++i) {
      text += fmt::format("{}e7,{}e8,{}{}\n", model, i, 5 - 0.01 * i - 0.1 * model, more(model, i));
    }
  }
  return text;
}

std::vector<std::string> clusters_of(const Table& table) {
  std::vector<std::string> out;
  for (const Observation& run : table.runs) out.push_back(run.cluster);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

TEST(Curves, RowsOfACurveAreOneClusterAndANoteSaysSo) {
  const std::string plain = three_curves("", [](int, int) { return ""; });
  const Table table = read_table(plain, "t");
  EXPECT_EQ(clusters_of(table), (std::vector<std::string>{"curve 1", "curve 2", "curve 3"}));
  EXPECT_NE(table.notes[0].find("60 rows look like points of 3 learning curves"), std::string::npos)
      << table.notes[0];
  const Table rows = read_table(plain, "t", TableOptions{.cluster = "row"});
  EXPECT_EQ(clusters_of(rows), std::vector<std::string>{""});
  const Table last = read_table(plain, "t", TableOptions{.last_row_per_run = true});
  ASSERT_EQ(last.runs.size(), 3u);
  for (const Observation& run : last.runs) EXPECT_EQ(run.tokens, 20e8);
}

TEST(Curves, AColumnOfTheRunGoesFirst) {
  const std::string named =
      three_curves(",run_id", [](int model, int) { return fmt::format(",r{}", model); });
  const Table table = read_table(named, "t");
  EXPECT_EQ(clusters_of(table), (std::vector<std::string>{"r1", "r2", "r3"}));
  EXPECT_EQ(read_table(named, "t", TableOptions{.last_row_per_run = true}).runs.size(), 3u);
  // Each row with a name of its own is a run of its own.
  const std::string runs =
      three_curves(",run_id", [](int model, int i) { return fmt::format(",r{}-{}", model, i); });
  EXPECT_EQ(clusters_of(read_table(runs, "t")).size(), 60u);
  EXPECT_THROW(read_table(runs, "t", TableOptions{.last_row_per_run = true}), Error);
}

TEST(Curves, TheLastRowIsThatOfTheLargestStep) {
  const std::string text =
      "N,D,loss,model,Step\n1e8,2e9,3.1,a,2000\n1e8,2e9,3.5,a,1000\n"
      "2e8,2e9,2.9,b,1500\n2e8,2e9,3.2,b,500\n";
  const Table table =
      read_table(text, "t", TableOptions{.cluster = "model", .last_row_per_run = true});
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[0].loss_nats, 3.1);
  EXPECT_EQ(table.runs[1].loss_nats, 2.9);
}

// A step column beside the planned D: on request a row has the tokens of its step.
TEST(Curves, TokensOfTheStepReplaceThoseOfTheRun) {
  const std::string text =
      "N,D,C,loss,run,step\n1e8,2e9,1.2e18,3.5,a,500\n1e8,2e9,1.2e18,3.1,a,2000\n"
      "2e8,4e9,4.8e18,2.9,b,1000\n3e8,1e9,,3.3,c,10\n3e8,2e9,,3.2,c,20\n";
  const Table as_written = read_table(text, "t");
  EXPECT_EQ(as_written.runs[0].tokens, 2e9);
  EXPECT_EQ(as_written.runs[0].compute, 1.2e18);
  const Table table = read_table(text, "t", TableOptions{.tokens_by_step = true});
  EXPECT_EQ(table.runs[0].tokens, 5e8);
  EXPECT_TRUE(std::isnan(table.runs[0].compute));  // that of the whole run
  EXPECT_EQ(table.runs[1].tokens, 2e9);
  EXPECT_EQ(table.runs[2].tokens, 4e9);  // a single row is no curve
  EXPECT_EQ(table.runs[3].tokens, 1e9);  // its D grows already
  ASSERT_FALSE(table.notes.empty());
  EXPECT_TRUE(std::any_of(table.notes.begin(), table.notes.end(), [](const std::string& note) {
    return note.find("in 2 rows it is taken in proportion to the step") != std::string::npos;
  }));
}

}  // namespace
}  // namespace bitlaw
