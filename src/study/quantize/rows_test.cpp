#include "quantize/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantize/cell_row.h"

namespace bitlaw {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

MatrixReport report(bool flagged) {
  return {{.layer = 0,
           .matrix = "qkv",
           .weights = 64,
           .relative_error = 0.01,
           .error = 2,
           .rtn_error = flagged ? 1.0 : 3.0,
           .damping = flagged ? kNone : 0.1,
           .failed_dampings = {0.01},
           .alpha = kNone,
           .dead_columns = 2,
           .flagged = flagged},
          flagged ? 5.0 : 4.0};
}

TEST(Rows, SayWhatCalibrationDidToTheMatrices) {
  CellRecord row;
  add_matrices(row, {report(false), report(true)});
  EXPECT_EQ(row.storage_bits, 4.5);
  EXPECT_EQ(row.damping, 0.1);
  ASSERT_EQ(row.notes.size(), 2u);
  EXPECT_NE(row.notes[0].find("raised to 0.1 in 2 matrices"), std::string::npos);
  EXPECT_NE(row.notes[1].find("4 inputs of 2 matrices"), std::string::npos);
  EXPECT_TRUE(std::isnan(row.layers[0].alpha));
}

TEST(Rows, StorageCountsScalesAndZeroPoints) {
  EXPECT_EQ(storage_bits(parse_weight_scheme("int4"), 64, 256, false), 4 + 32.0 / 256);
  EXPECT_EQ(storage_bits(parse_weight_scheme("int4"), 64, 256, true), 4 + 32.0 / 256 + 32.0 / 64);
  EXPECT_EQ(storage_bits(parse_weight_scheme("int4-asym", 32), 64, 256, false), 4 + 36.0 / 32);
  EXPECT_EQ(storage_bits(parse_weight_scheme("mxfp4"), 64, 256, false), 4.25);
  EXPECT_EQ(storage_bits(parse_weight_scheme("nvfp4"), 64, 256, false), 4.5);
}

CellRecord measured(double delta) {
  CellRecord row;
  row.measured_delta = delta;
  return row;
}

TEST(Rows, FlagWhatIsWorseThanRoundToNearest) {
  const auto flags = [](bool matrix, double delta, const CellRecord* rtn) {
    CellRecord row = measured(delta);
    add_matrices(row, {report(matrix)});
    compare_with_rtn(row, rtn);
    EXPECT_EQ(row.flagged, !row.flags.empty());
    return row.flags.size();
  };
  const CellRecord rtn = measured(0.5);
  EXPECT_EQ(flags(false, 0.4, &rtn), 0u);
  EXPECT_EQ(flags(false, 0.6, &rtn), 1u);
  EXPECT_EQ(flags(true, 0.4, &rtn), 1u);
  EXPECT_EQ(flags(true, 0.6, &rtn), 2u);
  EXPECT_EQ(flags(false, kNone, &rtn), 1u);  // a loss that is no number is never passed over
  EXPECT_EQ(flags(false, 0.6, nullptr), 0u);
}

CellRecord of_seed(const std::string& method, int64_t seed, double delta) {
  CellRecord row = measured(delta);
  row.key.method = method;
  row.key.scheme = "int4";
  if (seed > 0) row.key.calibration = CalibrationText{.tokens = 1, .seed = seed, .hash = {}};
  return row;
}

TEST(Rows, ALossThatIsNoNumberIsNeitherComparedNorAveraged) {
  CellRecord row = measured(0.1);
  const CellRecord rtn = measured(kNone);
  add_matrices(row, {report(false)});
  compare_with_rtn(row, &rtn);
  EXPECT_EQ(row.flags.size(), 1u);
  EXPECT_FALSE(with_spreads({of_seed("gptq", 1, kNone), of_seed("gptq", 2, 0.2)})[0].spread);
}

TEST(Rows, SpreadIsOverCalibrationsOfOneCell) {
  const std::vector<CellRow> rows = with_spreads({of_seed("rtn", 0, 0.9), of_seed("gptq", 1, 0.1),
                                                  of_seed("gptq", 2, 0.4), of_seed("awq", 1, 0.2)});
  EXPECT_FALSE(rows[0].spread);
  EXPECT_FALSE(rows[3].spread);
  ASSERT_TRUE(rows[1].spread);
  EXPECT_EQ(rows[1].spread, rows[2].spread);
  EXPECT_EQ(rows[1].spread->seeds, 2);
  EXPECT_DOUBLE_EQ(rows[1].spread->mean, 0.25);
  EXPECT_DOUBLE_EQ(rows[1].spread->standard_deviation, 0.3 / std::sqrt(2.0));
  EXPECT_FALSE(struct_to_json(rows[0]).contains("spread"));
  EXPECT_EQ(struct_to_json(rows[1])["spread"]["seeds"], 2);
}

}  // namespace
}  // namespace bitlaw
