// Drawings of quantization after training.
#include <gtest/gtest.h>

#include <cmath>

#include "report/drawing_for_tests.h"

namespace bitlaw {
namespace {

// One size, three lengths; what 3 bits add is given, 6 bits add .001 times the root of D.
std::vector<TidyRow> cells(const std::vector<double>& at_3_bits) {
  std::vector<TidyRow> rows;
  double d = 1e9;
  for (const double delta : at_3_bits) {
    rows.push_back(drawn_run(3e7, d, 16, drawn_loss(3e7, d, 16)));
    const TidyRow run = rows.back();
    rows.push_back(drawn_cell(run, 3, delta));
    rows.push_back(drawn_cell(run, 6, 0.001 * std::sqrt(d / 1e9)));
    d *= 4;
  }
  return rows;
}

TEST(DrawingPtq, SaysWhereTheLossRisesAgain) {
  const Json falls =
      drawing_named(drawings_in(cells({0.01, 0.01, 0.01}), nullptr), "loss-after-gptq");
  EXPECT_TRUE(says(falls, "Of 2 pairs of N and bits")) << falls["says"];
  EXPECT_TRUE(says(falls, "none ends above its least loss")) << falls["says"];

  const std::vector<TidyRow> rows = cells({0.01, 0.01, 0.9});
  const Json rises = drawing_named(drawings_in(rows, nullptr), "loss-after-gptq");
  EXPECT_TRUE(says(rises, "In 1 of 2 pairs")) << rises["says"];
  EXPECT_TRUE(says(rises, "N = 30 M at 3 bits (least at D/N = 133")) << rises["says"];

  const Json short_one = drawing_named(drawings_in(cells({0.01, 0.9}), nullptr), "loss-after-gptq");
  EXPECT_TRUE(says(short_one, "No size and number of bits is measured at three"))
      << short_one["says"];
}

TEST(DrawingPtq, ThePointsAreTheRunsLossAndThePairedDifference) {
  const std::vector<TidyRow> rows = cells({0.01, 0.02, 0.04});
  const Json panel =
      drawing_named(drawings_in(rows, drawn_fit(40, 0.01)), "loss-after-gptq")["panels"][0];
  const Json three = series_named(panel, "3 bits");
  EXPECT_EQ(three["bits"], 3);
  ASSERT_EQ(three["points"].size(), 3u);
  for (const Json& point : three["points"]) {
    const double d = point["about"]["D"];
    EXPECT_NEAR(point["x"], d / 3e7, 1e-9);
    EXPECT_NEAR(point["y"], drawn_loss(3e7, d, 16) + 0.01 * std::pow(d / 1e9, 0.5), 1e-9);
  }
  for (const Json& place : three["curve"])
    EXPECT_NEAR(place["y"], drawn_loss(3e7, 3e7 * place["x"].get<double>(), 16, 3), 1e-9);
  EXPECT_EQ(series_named(panel, "not quantized")["points"].size(), 3u);
}

TEST(DrawingPtq, CriticalDataOfThePublishedLaw) {
  // D_crit / N of 30 M parameters: 177 at 3 bits, 28,000 at 6 (arXiv 2411.04330, eq. 8).
  const std::vector<TidyRow> rows = cells({0.01, 0.02, 0.04});
  const Json said = drawing_named(drawings_in(rows, drawn_fit(40, 1e-7)), "loss-after-gptq");
  EXPECT_TRUE(says(said, "177 [177, 177] at 3 bits")) << said["says"];
  EXPECT_TRUE(says(said, "28 k [28 k, 28 k] at 6 bits")) << said["says"];

  Json fit = drawn_fit(40, 1e-7);
  fit["studied"] = {
      {"least_params", 3e7}, {"most_params", 3e7}, {"least_tokens", 1e9}, {"most_tokens", 1.6e10}};
  const Json far = drawing_named(drawings_in(rows, fit), "loss-after-gptq");
  EXPECT_TRUE(says(far, "1 of these 2 lie beyond the longest training of the fit")) << far["says"];

  fit = drawn_fit(40, 1e-5);
  fit["parameters"]["gamma_D"]["identified"] = false;
  const Json open = drawing_named(drawings_in(rows, fit), "loss-after-gptq");
  EXPECT_TRUE(says(open, "does not identify from which D/N on more tokens hurt: gamma_D"))
      << open["says"];
  EXPECT_FALSE(says(open, "177")) << open["says"];

  // b is left open by the formula, and C_T makes up for it.
  fit = drawn_fit(40, 1e-7);
  fit["parameters"]["b"]["frozen"] = "only C_T exp(b) can be identified from data";
  EXPECT_TRUE(says(drawing_named(drawings_in(rows, fit), "loss-after-gptq"), "177 [177, 177]"));
}

TEST(DrawingPtq, GrowthIsByThePowerOfTheData) {
  const Json drawing = drawing_named(drawings_in(cells({0.01, 0.02, 0.04}), nullptr), "delta-gptq");
  EXPECT_TRUE(says(drawing, "grows as D^0.50 (median of 2 pairs")) << drawing["says"];
  std::vector<TidyRow> rows = cells({0.01, 0.02, 0.04});
  for (TidyRow& row : rows) row.standard_error = 1;  // nothing is clear
  EXPECT_TRUE(says(drawing_named(drawings_in(rows, nullptr), "delta-gptq"), "is not measured"));
}

TEST(DrawingPtq, PredictedDifferences) {
  std::vector<TidyRow> rows;
  for (const double d : {1e9, 4e9, 1.6e10}) {
    rows.push_back(drawn_run(3e7, d, 16, drawn_loss(3e7, d, 16)));
    const TidyRow run = rows.back();
    for (const double bits : {3.0, 4.0})
      rows.push_back(drawn_cell(run, bits, 2 * (drawn_loss(3e7, d, 16, bits) - run.loss)));
  }
  const Json drawing = drawing_named(drawings_in(rows, drawn_fit()), "delta-predicted");
  EXPECT_TRUE(says(drawing, "by a factor of 2.00 (root mean square)")) << drawing["says"];
  for (const Json& series : drawing["panels"][0]["series"]) {
    for (const Json& point : series["points"])
      EXPECT_NEAR(point["y"].get<double>() / point["x"].get<double>(), 2, 1e-6);
  }
  rows.back().delta = -0.001;
  EXPECT_TRUE(says(drawing_named(drawings_in(rows, drawn_fit()), "delta-predicted"),
                   "1 more were measured or predicted to add no loss"));
}

TEST(DrawingPtq, TheMapIsOfTheBitsInTrainingAndAfterwards) {
  std::vector<TidyRow> rows = cells({0.01, 0.02});
  EXPECT_TRUE(drawing_named(drawings_in(rows, nullptr), "delta-map").is_null())
      << "all were trained at one precision";
  const TidyRow run = drawn_run(3e7, 1e9, 6, 3.5);
  rows.push_back(run);
  rows.push_back(drawn_cell(run, 3, 0.25));
  rows.push_back(drawn_cell(run, 4, 0.05));
  const Json map = drawing_named(drawings_in(rows, nullptr), "delta-map");
  EXPECT_TRUE(says(map,
                   "from 0.0010 to 0.2500 nats, the most for weights trained at 6 bits and stored "
                   "at 3"))
      << map["says"];
  EXPECT_EQ(map["panels"][0]["cells"].size(), 4u);
}

TEST(DrawingPtq, AFitOfCellsAloneHasNoCurveOfLosses) {
  Json fit = drawn_fit(40, 0.01);
  fit["post"] = Json{{"points", 6}};  // and no .training
  const Json drawings = drawings_in(cells({0.01, 0.02, 0.04}), fit);
  const Json loss = drawing_named(drawings, "loss-after-gptq");
  EXPECT_TRUE(says(loss, "The fit is of quantization after training alone")) << loss["says"];
  for (const Json& series : loss["panels"][0]["series"]) EXPECT_FALSE(series.contains("curve"));
  const Json delta = drawing_named(drawings, "delta-gptq");
  EXPECT_TRUE(series_named(delta["panels"][0], "3 bits").contains("curve"));
  for (const char* id :
       {"effective-parameters", "predicted-measured", "best-bits-fixed-size", "inference-bits"})
    EXPECT_TRUE(drawing_named(drawings, id).is_null()) << id;
}

TEST(DrawingPtq, AnotherMethodHasNoCurveOfTheFit) {
  std::vector<TidyRow> rows = cells({0.01, 0.02, 0.04});
  for (size_t i = 0; i < 9; ++i) {
    if (rows[i].is_run()) continue;
    rows.push_back(rows[i]);
    rows.back().method = "rtn", rows.back().delta *= 2;
  }
  const Json drawings = drawings_in(rows, drawn_fit(40, 0.01));
  const Json rtn = drawing_named(drawings, "loss-after-rtn");
  EXPECT_TRUE(says(rtn, "The fit is of gptq")) << rtn["says"];
  EXPECT_FALSE(series_named(rtn["panels"][0], "3 bits").contains("curve"));
  EXPECT_TRUE(series_named(drawing_named(drawings, "loss-after-gptq")["panels"][0], "3 bits")
                  .contains("curve"));
}

}  // namespace
}  // namespace bitlaw
