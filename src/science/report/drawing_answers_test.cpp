// Drawings of single answers hold the numbers of these answers.
#include "report/drawing_answers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "plan/frontier.h"
#include "plan/plan.h"
#include "report/drawing_for_tests.h"

namespace bitlaw {
namespace {

Json json_of(const std::vector<Drawing>& drawings) {
  Json out = Json::array();
  for (const Drawing& drawing : drawings) out.push_back(drawing_json(drawing));
  return out;
}

PlanRequest with_compute(double flop) {
  PlanRequest request;
  request.compute = flop;
  return request;
}

TEST(DrawingAnswers, APlanIsTheLeastOfItsCurves) {
  const Json fit = drawn_fit(40, 1e-4);
  const PlanRequest request = with_compute(1e21);
  const Json plan = plan_json(make_plan(request, fit));
  const Json drawings = json_of(plan_drawings(plan, request, fit));
  ASSERT_EQ(drawings.size(), 2u);
  const double best = plan["optimum"]["loss"];
  for (const Json& drawing : drawings) {
    const Json& panel = drawing["panels"].at(0);
    const Json point = series_named(panel, "the plan")["points"].at(0);
    const Json curve = series_named(panel, "kumar")["curve"];
    EXPECT_EQ(point["y"], best) << drawing["id"];
    ASSERT_GT(curve.size(), 10u) << drawing["id"];
    for (const Json& place : curve) {
      EXPECT_GE(place["y"].get<double>(), best - 1e-9) << drawing["id"];
      EXPECT_TRUE(place.contains("mean")) << drawing["id"];
    }
    EXPECT_TRUE(drawing["whole"].get<bool>());
  }
  EXPECT_EQ(drawings[0]["panels"][0]["series"][1]["points"][0]["x"], plan["optimum"]["P_w"]);
  EXPECT_EQ(drawings[1]["panels"][0]["series"][1]["points"][0]["x"], plan["optimum"]["N"]);
}

TEST(DrawingAnswers, WhatAPlanCannotVaryIsNotDrawn) {
  PlanRequest request;
  request.law = "chinchilla", request.params = 1e9, request.tokens = 2e10;
  EXPECT_TRUE(plan_drawings(plan_json(make_plan(request)), request, nullptr).empty());
  request = with_compute(1e21);
  request.law = "chinchilla";
  const Json drawings = json_of(plan_drawings(plan_json(make_plan(request)), request, nullptr));
  ASSERT_EQ(drawings.size(), 1u);
  EXPECT_EQ(drawings[0]["id"], "loss-by-size");
  EXPECT_TRUE(plan_drawings(Json{{"plans", Json::array()}}, request, nullptr).empty());
}

TEST(DrawingAnswers, AFrontierHasEveryPointAndChange) {
  PlanRequest request;
  request.frontier = "bytes=1e8..1e10", request.tokens = 1e11;
  const Json frontier = frontier_json(make_frontier(request, drawn_fit(40, 1e-4)));
  const Json drawings = json_of(frontier_drawings(frontier));
  ASSERT_EQ(drawings.size(), 2u);
  size_t points = 0;
  for (const Json& series : drawings[0]["panels"].at(0)["series"])
    points += series["points"].size();
  EXPECT_EQ(points, frontier["points"].size());
  ASSERT_FALSE(frontier["changes"].empty());
  for (const Json& change : frontier["changes"]) {
    for (const Json& drawing : drawings)
      EXPECT_TRUE(says(drawing, change["to"].get<std::string>() + " over ")) << drawing["says"];
  }
  EXPECT_TRUE(frontier_drawings(Json{{"laws", Json::array()}}).empty());
}

TEST(DrawingAnswers, ADesignStartsFromTheTable) {
  const auto run = [](double n, double flop, double error) {
    return Json{
        {"N", n},     {"D", 20 * n},         {"P_w", 16},    {"P_a", 16},
        {"P_kv", 16}, {"precision", "BF16"}, {"flop", flop}, {"standard_error_after", error}};
  };
  Json design{{"shrink", "alpha"},
              {"unit", ""},
              {"budget", 4e18},
              {"spent", 3e18},
              {"candidates", 12},
              {"before", {{"standard_error", 0.04}}},
              {"after", {{"standard_error", 0.02}}},
              {"random", {{"standard_error", 0.03}}}};
  design["runs"] = {run(1e8, 1e18, 0.03), run(2e8, 2e18, 0.02)};
  design["runs"][1]["beyond"] = {"N is twice their largest"};
  const Json drawings = json_of(design_drawings(design));
  EXPECT_TRUE(says(drawings[0], "2 runs for 3e+18 of 4e+18 FLOP")) << drawings[0]["says"];
  EXPECT_TRUE(says(drawings[0], "1 of them leave")) << drawings[0]["says"];
  EXPECT_EQ(drawings[0]["panels"][0]["series"][0]["points"].size(), 2u);
  const Json curve = drawings[1]["panels"][0]["series"][0]["curve"];
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_EQ(curve[0]["x"], 0.0);
  EXPECT_EQ(curve[0]["y"], 0.04);
  EXPECT_EQ(curve[2]["x"], 3e18);
  EXPECT_EQ(drawings[1]["panels"][0]["lines"][0]["y"], 0.03);
  // A quantity that the table does not identify has no standard error to start from.
  design["before"] = {{"standard_error", nullptr}};
  const Json open = json_of(design_drawings(design));
  EXPECT_TRUE(says(open[1], "does not identify alpha")) << open[1]["says"];
  EXPECT_EQ(open[1]["panels"][0]["series"][0]["curve"].size(), 2u);
}

TEST(DrawingAnswers, AComparisonIsTheReports) {
  Json comparison{{"verdict", "kumar is first."}, {"hold_out", "kfold"}};
  comparison["laws"] = {{{"name", "kumar"},
                         {"k", 11},
                         {"held_out", {{"rms_log", 0.001}, {"standard_error", 0.0001}}}}};
  const Json drawing = json_of(comparison_drawings(comparison)).at(0);
  ReportInput input;
  input.rows = {drawn_run(1e8, 1e9, 16, 3.0)};
  input.fit = drawn_fit();
  input.comparison = comparison;
  EXPECT_EQ(drawing, drawing_named(make_report(input)["drawings"], "laws"));
  EXPECT_TRUE(comparison_drawings(Json{{"laws", Json::array()}}).empty());
}

TEST(DrawingAnswers, FiguresCanBeStopped) {
  struct Stopped {};
  ReportInput input;
  input.rows = {drawn_run(1e8, 1e9, 16, 3.0)};
  input.between_figures = [] { throw Stopped(); };
  EXPECT_THROW(make_report(input), Stopped);
}

TEST(DrawingAnswers, WhatIsNoComparisonIsRefused) {
  EXPECT_NO_THROW(must_be_comparison(nullptr, "compare"));
  EXPECT_NO_THROW(must_be_comparison(Json{{"laws", Json::array()}}, "compare"));
  EXPECT_THROW(must_be_comparison(Json{{"law", "kumar"}}, "compare"), Error);
}

}  // namespace
}  // namespace bitlaw
