// Drawings of what a law advises, against the numbers of the published constants (arXiv 2411.04330).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "report/drawing_for_tests.h"

namespace bitlaw {
namespace {

// 4 times the largest size is 1e10 bits.
std::vector<TidyRow> rows_up_to(double n) {
  std::vector<TidyRow> rows;
  for (const double size : {n / 100, n}) {
    rows.push_back(drawn_run(size, 1e9, 16, drawn_loss(size, 1e9, 16)));
    rows.push_back(drawn_cell(rows.back(), 4, 0.01));
  }
  return rows;
}

TEST(DrawingPlans, BestBitsAtFixedSizes) {
  const Json drawing =
      drawing_named(drawings_in(rows_up_to(1e8), drawn_fit(40, 1e-5)), "best-bits-fixed-size");
  EXPECT_TRUE(says(drawing,
                   "13.5 [13.5, 13.5] for Llama-3 8B, 10.5 [10.5, 10.5] for Llama-3 70B, 8.2 "
                   "[8.2, 8.2] for Llama-3 405B"))
      << drawing["says"];
  // 8 B at 0.1, 1, 10 and 100 T tokens.
  const Json curve = series_named(drawing["panels"][0], "Llama-3 8B")["curve"];
  const auto at = [&](double tokens) {
    for (const Json& place : curve) {
      if (std::fabs(std::log(place["x"].get<double>() / tokens)) < 1e-6)
        return place["y"].get<double>();
    }
    return std::nan("");
  };
  EXPECT_NEAR(at(1e11), 6.9, 0.05);
  EXPECT_NEAR(at(1e12), 9.8, 0.05);
  EXPECT_NEAR(at(1e13), 13.0, 0.05);
  EXPECT_NEAR(at(1e14), 16.2, 0.05);
}

TEST(DrawingPlans, AnUnidentifiedConstantTakesTheNumberAway) {
  Json fit = drawn_fit(40, 1e-5);
  fit["parameters"]["gamma_a"]["frozen"] = "no activations were quantized";
  const Json drawings = drawings_in(rows_up_to(1e8), fit);
  for (const char* id : {"best-bits-fixed-size", "best-split"}) {
    const Json drawing = drawing_named(drawings, id);
    EXPECT_TRUE(says(drawing, "gamma_a, on which it depends, was not fitted")) << drawing["says"];
    EXPECT_FALSE(says(drawing, "90 %")) << drawing["says"];
  }
}

TEST(DrawingPlans, ModelsToServe) {
  const Json drawings = drawings_in(rows_up_to(2.5e9), drawn_fit(40, 1e-5));
  const Json bits = drawing_named(drawings, "inference-bits");
  EXPECT_TRUE(
      says(bits, "For 10 B bits of weights to serve the fit advises 6.86 [6.86, 6.86] bits"))
      << bits["says"];
  const Json size = drawing_named(drawings, "inference-size");
  const Json sizes = series_named(size["panels"][0], "fitted law")["curve"];
  const Json widths = series_named(bits["panels"][0], "fitted law")["curve"];
  for (const Json& place : sizes) {
    for (const Json& other : widths) {
      if (other["x"] != place["x"]) continue;
      EXPECT_NEAR(place["y"].get<double>() * other["y"].get<double>() / place["x"].get<double>(), 1,
                  1e-9)
          << "N P is the budget";
    }
  }
  // Without cells nothing about quantization after training is fitted.
  Json fit = drawn_fit(40, 1e-5);
  fit["training"] = Json{{"points", 4}};
  EXPECT_TRUE(drawing_named(drawings_in(rows_up_to(1e8), fit), "inference-bits").is_null());
}

TEST(DrawingFormats, GranularitiesAndFloatsAreComparedAtCommonBits) {
  std::vector<TidyRow> rows{drawn_run(1e7, 1e9, 16, 3)};
  const auto add = [&](double bits, const char* format, const char* granularity, double cost) {
    rows.push_back(drawn_run(1e7, 1e9, bits, 3 + cost));
    rows.back().format_w = format, rows.back().granularity_w = granularity;
  };
  add(4, "int4", "channel", 0.25), add(4, "int4", "tensor", 0.5), add(3, "int3", "tensor", 0.75);
  add(4, "e2m1", "channel", 0.125), add(4, "e1m2", "channel", 0.375);
  const Json drawings = drawings_in(rows, nullptr);
  const Json granularity = drawing_named(drawings, "granularity");
  EXPECT_TRUE(says(granularity,
                   "Weights: at 4 bits channel +0.2500 nats (3 runs), tensor +0.5000 nats "
                   "(1 run)"))
      << granularity["says"];
  const Json formats = drawing_named(drawings, "formats");
  EXPECT_TRUE(says(formats,
                   "floating point, weights +0.2500 nats (2 runs), others, weights +0.3750 "
                   "nats (2 runs)"))
      << formats["says"];
  const Json exponents = drawing_named(drawings, "exponent-bits");
  EXPECT_TRUE(says(exponents,
                   "at 4 bits the least mean cost is that of 2 exponent bits (+0.1250 nats, "
                   "of 2 that were run)"))
      << exponents["says"];
}

TEST(DrawingFit, ProfilesWithoutAnEndAreNotIdentified) {
  Json fit = drawn_fit();
  const Json points = Json::array(
      {{{"value", 1}, {"rise", 4}}, {{"value", 2}, {"rise", 0}}, {{"value", 3}, {"rise", 1}}});
  fit["profiles"] = {{"alpha", {{"low", 1.5}, {"high", nullptr}, {"points", points}}},
                     {"beta", {{"low", 0.25}, {"high", 0.5}, {"points", points}}}};
  const Json drawing = drawing_named(drawings_in(rows_up_to(1e8), fit), "profiles");
  EXPECT_TRUE(says(drawing, "Profiles with two ends: beta from 0.25 to 0.5.")) << drawing["says"];
  EXPECT_TRUE(says(drawing, "not identified by these rows: alpha from 1.5 to no upper end."))
      << drawing["says"];
  EXPECT_EQ(drawing["panels"].size(), 2u);
}

TEST(DrawingFit, LearningCurvesAreThoseOfTheLongestRuns) {
  ReportInput input{"t", {}, nullptr, Json::array(), {"all"}};
  for (const double d : {1e9, 4e9}) input.rows.push_back(drawn_run(1e7, d, 16, 3));
  std::vector<std::string> asked;
  input.learning_curve = [&](const std::string& run) {
    asked.push_back(run);
    std::vector<LearningPoint> out;
    for (int i = 1; i <= 1000; ++i) out.push_back({1e6 * i, 3 + 1.0 / i});
    return out;
  };
  const Json drawing = drawing_named(make_report(input)["drawings"], "learning-curves");
  EXPECT_EQ(asked, std::vector<std::string>{input.rows[1].run});
  const Json curve = drawing["panels"][0]["series"][0]["curve"];
  EXPECT_LE(curve.size(), 60u);
  for (const Json& place : curve) EXPECT_GT(place["y"], 3.0);
}

}  // namespace
}  // namespace bitlaw
