#include "quantize/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace bitlaw {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

MatrixReport report(bool flagged) {
  return {.layer = 0,
          .matrix = "qkv",
          .weights = 64,
          .storage_bits = flagged ? 5.0 : 4.0,
          .relative_error = 0.01,
          .error = 2,
          .rtn_error = flagged ? 1.0 : 3.0,
          .damping = 0.1,
          .failed_dampings = {0.01},
          .alpha = kNone,
          .dead_columns = 2,
          .flagged = flagged};
}

TEST(Rows, SayWhatCalibrationDidToTheMatrices) {
  Json row = Json::object();
  add_matrices(row, {report(false), report(true)});
  EXPECT_EQ(row["storage_bits"], 4.5);
  EXPECT_EQ(row["damping"], 0.1);
  ASSERT_EQ(row["notes"].size(), 2u);
  EXPECT_NE(row["notes"][0].get<std::string>().find("raised to 0.1 in 2 matrices"),
            std::string::npos);
  EXPECT_NE(row["notes"][1].get<std::string>().find("4 inputs of 2 matrices"), std::string::npos);
  EXPECT_TRUE(row["layers"][0]["alpha"].is_null());
}

TEST(Rows, StorageCountsScalesAndZeroPoints) {
  EXPECT_EQ(storage_bits(parse_weight_scheme("int4"), 64, 256, false), 4 + 32.0 / 256);
  EXPECT_EQ(storage_bits(parse_weight_scheme("int4"), 64, 256, true), 4 + 32.0 / 256 + 32.0 / 64);
  EXPECT_EQ(storage_bits(parse_weight_scheme("int4-asym", 32), 64, 256, false), 4 + 36.0 / 32);
  EXPECT_EQ(storage_bits(parse_weight_scheme("mxfp4"), 64, 256, false), 4.25);
  EXPECT_EQ(storage_bits(parse_weight_scheme("nvfp4"), 64, 256, false), 4.5);
}

TEST(Rows, FlagWhatIsWorseThanRoundToNearest) {
  const auto flags = [](bool matrix, double delta, const Json& rtn) {
    Json row{{"measured_delta", delta}};
    add_matrices(row, {report(matrix)});
    compare_with_rtn(row, rtn);
    EXPECT_EQ(row["flagged"], !row["flags"].empty());
    return row["flags"].size();
  };
  const Json rtn{{"measured_delta", 0.5}};
  EXPECT_EQ(flags(false, 0.4, rtn), 0u);
  EXPECT_EQ(flags(false, 0.6, rtn), 1u);
  EXPECT_EQ(flags(true, 0.4, rtn), 1u);
  EXPECT_EQ(flags(true, 0.6, rtn), 2u);
  EXPECT_EQ(flags(false, kNone, rtn), 1u);  // a loss that is no number is never passed over
  EXPECT_EQ(flags(false, 0.6, nullptr), 0u);
}

// Read from a file, what is no number is null.
TEST(Rows, ALossThatIsNoNumberIsNeitherComparedNorAveraged) {
  Json row{{"measured_delta", 0.1}};
  add_matrices(row, {report(false)});
  compare_with_rtn(row, Json{{"measured_delta", nullptr}});
  EXPECT_EQ(row["flags"].size(), 1u);
  Json rows = Json::array();
  for (const int seed : {1, 2}) {
    rows.push_back({{"method", "gptq"},
                    {"calibration", {{"seed", seed}}},
                    {"measured_delta", seed == 1 ? Json(nullptr) : Json(0.2)}});
  }
  add_spreads(rows);
  EXPECT_FALSE(rows[0].contains("spread"));
}

TEST(Rows, SpreadIsOverCalibrationsOfOneCell) {
  const auto row = [](const char* method, int seed, double delta) {
    return Json{{"run", "a"},
                {"method", method},
                {"scheme", "int4"},
                {"group", 0},
                {"activations", {}},
                {"kv", {}},
                {"calibration", seed == 0 ? Json(nullptr) : Json{{"seed", seed}}},
                {"measured_delta", delta}};
  };
  Json rows{row("rtn", 0, 0.9), row("gptq", 1, 0.1), row("gptq", 2, 0.4), row("awq", 1, 0.2)};
  add_spreads(rows);
  EXPECT_FALSE(rows[0].contains("spread"));
  EXPECT_FALSE(rows[3].contains("spread"));
  EXPECT_EQ(rows[1]["spread"], rows[2]["spread"]);
  EXPECT_EQ(rows[1]["spread"]["seeds"], 2);
  EXPECT_DOUBLE_EQ(rows[1]["spread"]["mean"].get<double>(), 0.25);
  EXPECT_DOUBLE_EQ(rows[1]["spread"]["standard_deviation"].get<double>(), 0.3 / std::sqrt(2.0));
}

}  // namespace
}  // namespace bitlaw
