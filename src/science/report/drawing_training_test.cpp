// Drawings of precision in training against the law that made the rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "laws/bind.h"
#include "predict/predict.h"
#include "report/drawing_for_tests.h"

namespace bitlaw {
namespace {

double kept_at(double bits) {
  return 1 - std::exp(-bits / 2.6745 + 0.3037);
}

// The law with offsets of weights alone; a BF16 run has the whole N.
double loss_of_share(double n, double d, double share) {
  return 2.7648 + 4299 * std::pow(n * share, -0.4965) + 18060 * std::pow(d, -0.4965);
}

TEST(DrawingTraining, MeasuredSharesLieOnTheFittedCurve) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 4.0, 6.0})
    rows.push_back(
        drawn_run(1e6, 1e8, bits, loss_of_share(1e6, 1e8, bits < 16 ? kept_at(bits) : 1)));
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit()), "effective-parameters");
  const Json& panel = drawing["panels"][0];
  const Json points = series_named(panel, "measured")["points"];
  ASSERT_EQ(points.size(), 2u);
  const Json fitted = series_named(panel, "fitted")["curve"];
  for (const Json& point : points) {
    EXPECT_NEAR(point["y"], kept_at(point["x"]), 1e-9);
    EXPECT_FALSE(point.contains("low")) << "without replicates there is no bar";
    for (const Json& place : fitted) {
      if (std::fabs(place["x"].get<double>() - point["x"].get<double>()) > 1e-9) continue;
      EXPECT_NEAR(point["y"], place["y"], 1e-9);
    }
  }
  EXPECT_TRUE(says(drawing, "0.000 for weights (2 runs)")) << drawing["says"];
  EXPECT_FALSE(says(drawing, "at 4 bits N_eff")) << "there are no intervals: " << drawing["says"];
}

TEST(DrawingTraining, ABarOfAShareIsThatOfTheDifferenceOfLosses) {
  std::vector<TidyRow> rows;
  const double noise[] = {-0.02, -0.01, 0, 0.01, 0.02};
  for (int seed = 0; seed < 5; ++seed) {
    rows.push_back(drawn_run(1e6, 1e8, 16, loss_of_share(1e6, 1e8, 1) + noise[seed]));
    rows.back().seed = seed + 1;
  }
  rows.push_back(drawn_run(1e6, 1e8, 4, loss_of_share(1e6, 1e8, kept_at(4))));
  rows.back().seed = 1;
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit()), "effective-parameters");
  const Json point = series_named(drawing["panels"][0], "measured")["points"][0];
  const double deviation = std::sqrt(1e-3 / 4);
  const double bar = 1.645 * deviation * std::sqrt(1 + 1.0 / 5);
  const auto share = [&](double loss) {
    const double of_n = loss - 2.7648 - 18060 * std::pow(1e8, -0.4965);
    return std::pow(of_n / 4299, -1 / 0.4965) / 1e6;
  };
  const double loss = loss_of_share(1e6, 1e8, kept_at(4));
  EXPECT_NEAR(point["low"], share(loss + bar), 1e-9);
  EXPECT_NEAR(point["high"], share(loss - bar), 1e-9);
}

TEST(DrawingTraining, WhatIsNotIdentifiedHasNoNumber) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 4.0, 6.0})
    rows.push_back(drawn_run(1e6, 1e8, bits, drawn_loss(1e6, 1e8, bits)));
  Json fit = drawn_fit(40, 0.01);
  const auto sentence = [&] {
    return drawing_named(drawings_in(rows, fit), "effective-parameters")["says"].get<std::string>();
  };
  EXPECT_NE(sentence().find("for weights, 0.3"), std::string::npos) << sentence();
  EXPECT_EQ(sentence().find("Not identified"), std::string::npos) << sentence();

  fit["parameters"]["gamma_w"]["identified"] = false;
  const std::string open = sentence();
  EXPECT_NE(open.find("weights (gamma_w, on which it depends, is not identified)"),
            std::string::npos)
      << open;
  EXPECT_EQ(open.find("for weights,"), std::string::npos) << open;

  fit["parameters"]["gamma_kv"]["frozen"] = "too few rows";
  const Json drawing = drawing_named(drawings_in(rows, fit), "effective-parameters");
  for (const Json& panel : drawing["panels"])
    EXPECT_NE(panel["title"], "keys and values") << "nothing measured and nothing fitted";
}

TEST(DrawingTraining, LossByBitsHasTheLawsCurveAndTheMeasuredCost) {
  std::vector<TidyRow> rows;
  const double d = 1e9;
  for (const double n : {1e7, 4e7}) {
    rows.push_back(drawn_run(n, d, 16, 3));
    rows.push_back(drawn_run(n, d, 4, n < 2e7 ? 3.25 : 3.125));
  }
  const Json drawing =
      drawing_named(drawings_in(rows, drawn_fit(60, 0.01)), "loss-by-bits-weights");
  EXPECT_TRUE(says(drawing, "at 4 bits +0.1250 to +0.2500 nats (2 runs)")) << drawing["says"];
  ASSERT_EQ(drawing["panels"].size(), 2u);
  const Json& series = drawing["panels"][1]["series"][0];
  EXPECT_EQ(series["points"].size(), 2u) << "with the run that is not quantized";
  for (const Json& place : series["curve"]) {
    EXPECT_NEAR(place["y"], drawn_loss(4e7, d, place["x"]), 1e-9);
    EXPECT_LT(place["mean"][0], place["mean"][1]);
  }
}

TEST(DrawingTraining, CurvesBeginAtTheFewestMeasuredBits) {
  std::vector<TidyRow> rows{drawn_run(1e7, 1e9, 16, 3), drawn_run(1e7, 1e9, 1.5, 4)};
  for (const double fewest : {1.5, 2.0}) {
    const Json drawings = drawings_in(rows, drawn_fit());
    const Json loss = drawing_named(drawings, "loss-by-bits-weights")["panels"][0]["series"][0];
    EXPECT_EQ(loss["curve"][0]["x"], fewest);
    const Json shares = drawing_named(drawings, "effective-parameters")["panels"][0];
    EXPECT_EQ(series_named(shares, "fitted")["curve"][0]["x"], fewest);
    rows[1].P_w = 4;
  }
}

TEST(DrawingTraining, IntervalsBetweenAreAsThoseOfPredict) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 4.0}) rows.push_back(drawn_run(1e7, 1e9, bits, 3));
  const Json fit = drawn_fit(100, 0.02);
  const Json curve = drawing_named(drawings_in(rows, fit),
                                   "loss-by-bits-weights")["panels"][0]["series"][0]["curve"];
  Constants constants;
  ASSERT_EQ(read_constants("", "", fit, constants), "");
  ASSERT_GT(curve.size(), 40u);
  for (const Json& place : curve) {
    Observation run;
    run.params = 1e7, run.tokens = 1e9, run.bits_weights = place["x"];
    const auto mean = predict_run(constants, run).mean;
    const double width = mean->high - mean->low;
    EXPECT_NEAR(place["mean"][0], mean->low, 0.02 * width) << place["x"];
    EXPECT_NEAR(place["mean"][1], mean->high, 0.02 * width) << place["x"];
  }
}

TEST(DrawingTraining, IntervalsNearDivergenceAreNotInterpolated) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 4.0}) {
    rows.push_back(drawn_run(1e7, 1e9, bits, 3));
    rows.back().P_a = rows.back().P_kv = bits;
  }
  const Json fit = drawn_fit(100, 0.02);
  const Json curve = drawing_named(
      drawings_in(rows, fit),
      "loss-by-bits-weights-activations-keys-and-values")["panels"][0]["series"][0]["curve"];
  Constants constants;
  ASSERT_EQ(read_constants("", "", fit, constants), "");
  double least = 1e300;
  for (const Json& place : curve) least = std::min(least, place["y"].get<double>());
  for (const Json& place : curve) {
    Observation run;
    run.params = 1e7, run.tokens = 1e9;
    run.bits_weights = run.bits_activations = run.bits_kv = place["x"];
    const auto mean = predict_run(constants, run).mean;
    ASSERT_TRUE(place.contains("mean")) << place["x"];
    const double width = mean->high - mean->low;
    EXPECT_NEAR(place["mean"][0], mean->low, 0.05 * width) << place["x"];
    EXPECT_NEAR(place["mean"][1], mean->high, 0.05 * width) << place["x"];
    EXPECT_LE(place["y"], 3 * least) << "where training fails there is no curve";
  }
}

TEST(DrawingTraining, RunsThatFitsLeaveOutAreNotCounted) {
  std::vector<TidyRow> rows{drawn_run(1e7, 1e9, 16, 3), drawn_run(1e7, 1e9, 4, 3.25)};
  rows[1].tuning = 1;
  const Json drawing = drawing_named(drawings_in(rows, nullptr), "loss-by-bits-weights");
  EXPECT_TRUE(says(drawing, "Nothing is concluded from these runs: each is a run of the tuning"))
      << drawing["says"];
  EXPECT_FALSE(says(drawing, "0.25")) << drawing["says"];
  const Json& points = drawing["panels"][0]["series"][0]["points"];
  EXPECT_TRUE(points[0].contains("flagged") != points[1].contains("flagged"));
}

// The law of QuEST with its published constants and classes, as a fit would give it.
Json class_fit() {
  const Law& quest = *find_law("quest");
  std::vector<Observation> runs(2);
  for (Observation& run : runs) run.params = 1e8, run.tokens = 1e10;
  runs[0].bits_weights = runs[0].bits_activations = 4;
  runs[1].bits_weights = runs[1].bits_activations = 2;
  const BoundLaw bound = bind_law(quest, runs);
  Json fit{{"law", "quest"}, {"points", 10}, {"notes", Json::array()}, {"held_out", Json::array()}};
  Json names = Json::array(), row = Json::array();
  for (size_t i = 0; i < bound.law().parameters.size(); ++i) {
    const double value = bound.law().constants[0].values[i];
    fit["parameters"][bound.law().parameters[i].name] = {{"value", value}};
    names.push_back(bound.law().parameters[i].name);
    row.push_back(value);
  }
  fit["draws"] = {{"names", names}, {"values", std::vector<Json>(30, row)}};
  return fit;
}

TEST(DrawingTraining, ALawOfClassesHasAShareForEach) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 4.0, 2.0}) {
    rows.push_back(drawn_run(1e8, 1e10, bits, 3));
    rows.back().P_a = bits;
  }
  Json fit = class_fit();
  const Json drawing = drawing_named(drawings_in(rows, fit), "effective-parameters");
  // eff of 4 bits .6918, of 2 bits .1519 (arXiv 2502.05003).
  EXPECT_TRUE(says(drawing, "0.152 [0.152, 0.152] for W2A2, 0.692 [0.692, 0.692] for W4A4"))
      << drawing["says"];
  EXPECT_EQ(series_named(drawing["panels"][0], "fitted")["points"].size(), 2u);

  const Json parameters = fit["parameters"];
  for (const auto& [name, entry] : parameters.items()) {
    if (name.find("W2A2") != std::string::npos) fit["parameters"][name]["identified"] = false;
  }
  const Json open = drawing_named(drawings_in(rows, fit), "effective-parameters");
  EXPECT_FALSE(says(open, "W2A2")) << open["says"];
  EXPECT_TRUE(says(open, "1 of 2 classes are not identified")) << open["says"];
}

TEST(DrawingTraining, ContoursHaveOneLossAndCrossingsLieBetweenSizes) {
  // The loss falls by .4 from one size to the next, whatever the bits: level k of six, from 3.2 to
  // 4, is crossed at a known place.
  std::vector<TidyRow> rows;
  const double d = 1e9;
  for (const double bits : {16.0, 4.0}) {
    rows.push_back(drawn_run(1e7, d, bits, 4));
    rows.push_back(drawn_run(4e7, d, bits, 3.2));
  }
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit()), "iso-loss");
  ASSERT_EQ(drawing["panels"].size(), 1u);
  const Json& series = drawing["panels"][0]["series"];
  ASSERT_EQ(series.size(), 6u);
  for (int k = 0; k < 6; ++k) {
    const double level = 3.2 + 0.8 * (k + 1) / 7;
    for (const Json& point : series[k]["points"])
      EXPECT_NEAR(point["x"], 1e7 * std::pow(4, (4 - level) / 0.8), 1);
    for (const Json& place : series[k].value("curve", Json::array()))
      EXPECT_NEAR(drawn_loss(place["x"], d, place["y"]), level, 1e-3);
  }
}

TEST(DrawingTraining, TheBestBitsAtEqualCostAreThoseOfTheLaw) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 8.0, 4.0}) {
    TidyRow run = drawn_run(16e7 / bits, 1e9, bits, 3 + 0.01 * std::fabs(bits - 8));
    run.P_a = run.P_kv = bits;
    rows.push_back(run);
  }
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit(40, 1e-5)), "matched-cost");
  EXPECT_TRUE(says(drawing, "of 3 measured runs the best has 8 bits")) << drawing["says"];
  EXPECT_TRUE(says(drawing, "the fit's best is 7.00 [7.00, 7.00] bits")) << drawing["says"];
  EXPECT_EQ(series_named(drawing["panels"][0], "measured")["points"].size(), 3u);
  EXPECT_FALSE(says(drawing, "nearly equal")) << drawing["says"];

  // A run of 5 % more parameters (20 M to 21 M) is compared, but not without a word.
  rows[1].N = 21'000'000;
  const Json nearly = drawing_named(drawings_in(rows, drawn_fit(40, 1e-5)), "matched-cost");
  EXPECT_TRUE(says(nearly, "N P of these runs differs by up to 4.8 %")) << nearly["says"];

  rows.pop_back();
  const Json unmatched = drawing_named(drawings_in(rows, drawn_fit(40, 1e-5)), "matched-cost");
  EXPECT_TRUE(says(unmatched, "nothing measured stands here")) << unmatched["says"];
  EXPECT_TRUE(series_named(unmatched["panels"][0], "measured").is_null());
}

// Fewer bits of activations make no parameter cheaper.
TEST(DrawingTraining, EqualCostIsOfWeights) {
  std::vector<TidyRow> rows;
  for (const double bits : {16.0, 8.0, 4.0}) {
    rows.push_back(drawn_run(16e7 / bits, 1e9, bits, 3 + 0.01 * std::fabs(bits - 4)));
    if (bits == 16) continue;
    rows.push_back(drawn_run(16e7 / bits, 1e9, 16, 3 + 0.01 * std::fabs(bits - 8)));
    rows.back().P_a = bits, rows.back().run += "-activations";
  }
  const Json drawing = drawing_named(drawings_in(rows, nullptr), "matched-cost");
  EXPECT_TRUE(says(drawing, "of 3 measured runs the best has 4 bits")) << drawing["says"];
  std::erase_if(rows, [](const TidyRow& row) { return row.P_w < 16; });
  EXPECT_TRUE(drawing_named(drawings_in(rows, nullptr), "matched-cost").is_null());
}

TEST(DrawingErrors, AMissBeyondMeasureIsNoLongNumber) {
  std::vector<TidyRow> rows;
  for (const double n : {1e7, 2e7, 4e7, 8e7})
    rows.push_back(drawn_run(n, 1e9, 16, 1e9 * drawn_loss(n, 1e9, 16)));
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit()), "predicted-measured");
  EXPECT_TRUE(says(drawing,
                   "explains R^2 < 0 of the losses of 4 runs, and misses them by a factor "
                   "of more than 1,000 (root mean square)."))
      << drawing["says"];
}

TEST(DrawingErrors, PredictedAgainstMeasured) {
  std::vector<TidyRow> rows;
  for (const double n : {1e7, 2e7, 4e7, 8e7})
    rows.push_back(drawn_run(n, 1e9, 16, drawn_loss(n, 1e9, 16)));
  const Json exact = drawing_named(drawings_in(rows, drawn_fit()), "predicted-measured");
  EXPECT_TRUE(says(exact, "R^2 = 1.0000 of the losses of 4 runs, and misses them by 0.00 %"))
      << exact["says"];
  EXPECT_TRUE(says(exact, "No rows were held out")) << exact["says"];
  for (TidyRow& row : rows) row.loss *= std::exp(row.N == 10'000'000 ? 0.02 : 0);
  Json fit = drawn_fit();
  fit["held_out"] = {{{"part", "training"},
                      {"split", "largest-N"},
                      {"fitted", 3},
                      {"points", 1},
                      {"rms_log", 0.0125}}};
  const Json off = drawing_named(drawings_in(rows, fit), "predicted-measured");
  EXPECT_FALSE(says(off, "R^2 of each")) << "there is one kind of run";
  EXPECT_TRUE(says(off, "misses them by 1.00 %")) << off["says"];
  EXPECT_TRUE(says(off, "largest-N: 1.25 % (1 rows)")) << off["says"];
}

TEST(DrawingErrors, EachKindOfRunIsExplainedByItself) {
  // Runs at 4 bits scatter around the one loss that the law gives them: it explains nothing of that.
  std::vector<TidyRow> rows;
  for (int i = 0; i < 10; ++i) {
    const double d = 1e9 * (1 + i);
    rows.push_back(drawn_run(1e7, d, 16, drawn_loss(1e7, d, 16)));
    rows.push_back(drawn_run(1e7, 1e9, 4, drawn_loss(1e7, 1e9, 4) + (i % 2 == 0 ? 0.1 : -0.1)));
  }
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit()), "predicted-measured");
  EXPECT_TRUE(says(drawing, "R^2 of each (runs): not quantized 1.000 (10), weights 0.000 (10)."))
      << drawing["says"];
}

}  // namespace
}  // namespace bitlaw
