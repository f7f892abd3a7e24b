#include "fit/masks.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

// N, D, P_w, P_a; KV is not quantized.
Observation row(double n, double d, double w, double a) {
  Observation out;
  out.params = n, out.tokens = d, out.loss_nats = 3;
  out.bits_weights = w, out.bits_activations = a;
  return out;
}

const std::vector<Observation> kRows{row(1e6, 2e7, 16, 16), row(1e6, 2e7, 3, 16),
                                     row(2e6, 2e7, 4, 16),  row(2e6, 8e7, 16, 3),
                                     row(4e6, 4e7, 4, 4),   row(4e6, 4e7, 16, 16)};

std::vector<size_t> held_out(const std::string& split) {
  const auto masks = hold_out_masks(kRows, split, 5, 1);
  std::vector<size_t> out;
  if (masks.size() != 1) return out;
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (masks[0][i]) out.push_back(i);
  }
  return out;
}

TEST(Masks, ConditionsHoldOutTheRowsTheyName) {
  struct Case {
    const char* split;
    std::vector<size_t> rows;
  };
  for (const Case& each : {Case{"largest-N", {4, 5}},
                           {"largest-D", {3}},
                           {"bits=3", {1, 3}},
                           {"bits<=4", {1, 2, 3, 4}},
                           {"bits=3,4", {1, 2, 3, 4}},
                           {"P_w=3", {1}},
                           {"P_w = 3", {1}},
                           {"P_w!=16", {1, 2, 4}},
                           {"P_a<=4", {3, 4}},
                           {"class=W4A4", {4}},
                           {"class=W3A16,W16A3", {1, 3}},
                           {"class!=BF16", {1, 2, 3, 4}},
                           {"N=1e6", {0, 1}},
                           {"N=1M", {0, 1}},
                           {"N=2e6..4e6", {2, 3, 4, 5}},
                           {"N>1e6", {2, 3, 4, 5}},
                           {"N>=4e6", {4, 5}},
                           {"D>4e7", {3}},
                           {"D=4e7", {4, 5}},
                           {"D/N=10,20", {0, 1, 2, 4, 5}},
                           {"D/N>30", {3}}}) {
    EXPECT_EQ(held_out(each.split), each.rows) << each.split;
  }
}

TEST(Masks, TheColumnsAreThoseOfObservations) {
  std::vector<Observation> rows = kRows;
  for (Observation& each : rows) each.method = "rtn", each.cluster = "a";
  rows[2].method = "gptq", rows[3].cluster = "b";
  const auto mask = [&](const char* split) { return hold_out_masks(rows, split, 5, 1); };
  EXPECT_EQ(mask("method=gptq"), (std::vector<std::vector<bool>>{{0, 0, 1, 0, 0, 0}}));
  EXPECT_EQ(mask("run=b"), (std::vector<std::vector<bool>>{{0, 0, 0, 1, 0, 0}}));
  EXPECT_EQ(mask("precision=W4A4"), mask("class=W4A4"));
  EXPECT_NE(why_no_masks(rows, "backward=fp8").find("backward is nothing"), std::string::npos);
}

TEST(Masks, AClassHasAnyNameOfItsPrecision) {
  std::vector<Observation> rows = kRows;
  rows[1].precision = "FP8", rows[2].precision = "mxfp4", rows[3].precision = "4NOH";
  struct Case {
    const char* split;
    std::vector<bool> mask;
  };
  for (const Case& each : {Case{"class=fp8", {false, true, false, false, false, false}},
                           {"class=E4M3,MXFP4", {false, true, true, false, false, false}},
                           {"class=int4", {false, false, false, false, true, false}},
                           {"class=4NOH", {false, false, false, true, false, false}},
                           {"class!=none", {false, true, true, true, true, false}}}) {
    const auto masks = hold_out_masks(rows, each.split, 5, 1);
    ASSERT_EQ(masks.size(), 1u) << each.split;
    EXPECT_EQ(masks[0], each.mask) << each.split;
  }
  EXPECT_TRUE(hold_out_masks(rows, "class=4noh", 5, 1).empty()) << "a label";
  EXPECT_TRUE(hold_out_masks(rows, "class=", 5, 1).empty());
}

TEST(Masks, EveryClusterIsInOneFold) {
  std::vector<Observation> rows;
  for (int i = 0; i < 40; ++i) {
    rows.push_back(kRows[0]);
    rows.back().cluster = std::to_string(i / 4);
  }
  const auto masks = hold_out_masks(rows, "kfold", 5, 1);
  ASSERT_EQ(masks.size(), 5u);
  for (size_t i = 0; i < rows.size(); ++i) {
    int times = 0;
    for (const auto& mask : masks) {
      times += mask[i];
      EXPECT_EQ(mask[i], mask[i / 4 * 4]);  // with its cluster
    }
    EXPECT_EQ(times, 1);
  }
}

TEST(Masks, EveryPrecisionInTurn) {
  EXPECT_EQ(hold_out_masks(kRows, "bits", 5, 1).size(), 2u);   // 3 and 4
  EXPECT_EQ(hold_out_masks(kRows, "class", 5, 1).size(), 4u);  // W3A16 W4A16 W16A3 W4A4
}

// Of cells of post-training quantization, the bits are those they were quantized to.
TEST(Masks, BitsOfACellAreItsBitsAfterwards) {
  Observation cell = kRows[0];
  cell.bits_post = 3, cell.delta_nats = 0.1;
  const auto masks = hold_out_masks({cell, kRows[2]}, "bits=3", 5, 1);
  ASSERT_EQ(masks.size(), 1u);
  EXPECT_EQ(masks[0], (std::vector<bool>{true, false}));
}

TEST(Masks, NothingIsLeftWhereAllOrNoneIsHeldOut) {
  for (const char* split : {"bits=5", "P_w<=16", "class=W2A2", "N=1e9", "D=1"}) {
    EXPECT_TRUE(hold_out_masks(kRows, split, 5, 1).empty()) << split;
  }
  const std::vector<Observation> one{kRows[0], kRows[0]};
  for (const char* split : {"largest-N", "largest-D", "bits", "class"}) {
    EXPECT_TRUE(hold_out_masks(one, split, 5, 1).empty()) << split;
  }
}

TEST(Masks, WhyNothingIsHeldOutIsSaid) {
  EXPECT_EQ(why_no_masks(kRows, "P_w=5"), "hold_out 'P_w=5' holds for no row; P_w is 16, 3, 4");
  EXPECT_EQ(why_no_masks(kRows, "P_w<=16"),
            "hold_out 'P_w<=16' holds for every row; P_w is 16, 3, 4");
  EXPECT_EQ(why_no_masks(kRows, "N=3e6"),
            "hold_out 'N=3e6' holds for no row; N is 1e+06, 2e+06, 4e+06; N>3e6 holds out all "
            "larger values");
  EXPECT_EQ(why_no_masks({kRows[0]}, "largest-N"), "hold_out: all rows have the same N");
}

TEST(Masks, MistakesGetOneSentence) {
  for (const char* split : {"", "largest", "K", "bits=", "bits=x", "bits~3", "class<W4A4", "P_x=3",
                            "N<1e6,2e6", "class/N=3", "=3", "bits=<3", "=", "bits=3,"}) {
    EXPECT_THROW(check_split(split), Error) << split;
    EXPECT_THROW(hold_out_masks(kRows, split, 5, 1), Error) << split;
  }
  try {
    check_split("largest-n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "hold_out: unknown split 'largest-n'; did you mean 'largest-N'?");
  }
}

// Classes whose names say no bits are held out in turn, too.
TEST(Masks, ClassesOfAnyNameAreHeldOutInTurn) {
  std::vector<Observation> rows;
  for (const char* name : {"BF16", "sparse", "rotated", "sparse"}) {
    rows.push_back(row(1e6, 2e7, 16, 16));
    rows.back().precision = name;
  }
  EXPECT_EQ(
      hold_out_masks(rows, "class", 5, 1),
      (std::vector<std::vector<bool>>{{false, false, true, false}, {false, true, false, true}}));
}

TEST(Masks, OfContinuousSizesTheLargestTenthIsHeldOut) {
  std::vector<Observation> rows;
  for (int i = 0; i < 50; ++i) rows.push_back(row(1e6 + i, 1e8 * (1 + i % 2), 16, 16));
  const auto masks = hold_out_masks(rows, "largest-N", 5, 1);
  ASSERT_EQ(masks.size(), 1u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(masks[0][static_cast<size_t>(i)], i >= 45) << i;
  const auto of_data = hold_out_masks(rows, "largest-D", 5, 1);
  EXPECT_EQ(std::count(of_data.at(0).begin(), of_data[0].end(), true), 25) << "two token counts";
}

}  // namespace
}  // namespace bitlaw
