#include <gtest/gtest.h>

#include "sweep/plan.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

// `top` comes before the sections of the study.
SweepPlan plan_with(const std::string& top, const std::string& rest) {
  const StudyFolder tiny(rest);
  return plan_sweep({tiny.study()[0], top}, tiny.runs());
}

constexpr const char* kGrid =
    "[[grid]]\n\"model.width\" = [32, 64]\n\"train.tokens\" = [2_560, 25_600]\n";

TEST(Require, LeavesOutCellsAndSaysHowMany) {
  const SweepPlan plan = plan_with("require=[\"D/N<0.5\", \"width<64\"]", kGrid);
  EXPECT_EQ(plan.runs.size(), 1u);
  EXPECT_EQ(plan.study.cells.size(), 1u);
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_EQ(plan.notes[0], "require leaves out 3 of 4 cells: 1 by 'D/N<0.5', 2 by 'width<64'");
}

TEST(Require, HoldsForTheGridThatSaysIt) {
  const std::string two =
      std::string(kGrid) +
      "require = \"D<1e4\"\n[[grid]]\n\"model.width\" = [32]\n\"train.tokens\" = [25_600]\n";
  const SweepPlan plan = plan_with("base.train.seed=1", two);
  EXPECT_EQ(plan.runs.size(), 3u) << "the second grid has a cell that the first one leaves out";
  EXPECT_EQ(plan.repeated_cells, 0u);
}

TEST(Require, ThatNoCellFulfilsIsAnError) {
  EXPECT_NE(error_of([] {
              plan_with("require=[\"N<1e5\", \"N>2e5\"]", kGrid);
            }).find("study.toml: require leaves out all 4 cells: "),
            std::string::npos);
  EXPECT_NE(error_of([] {
              plan_with("require=\"widht<3\"", kGrid);
            }).find("require 'widht<3': unknown column 'widht'; did you mean 'width'?"),
            std::string::npos);
  EXPECT_NE(
      error_of([] { plan_with("require=3", kGrid); }).find("require must be conditions in quotes"),
      std::string::npos);
}

TEST(Require, QuantizationTakesConditions) {
  const std::string ptq = "[ptq]\nmethods = [\"rtn\"]\nwhere = ";
  const auto quantized = [&](const std::string& where) {
    std::string out;
    for (const PlannedRun& run : plan_with("base.train.seed=1", kGrid + ptq + where + "\n").runs)
      out += run.cell.quantize ? 'y' : 'n';
    return out;
  };
  EXPECT_EQ(quantized("\"D<1e4\""), "ynyn");
  EXPECT_EQ(quantized("[\"D<1e4\", \"model.width=64\"]"), "nnyn");
  EXPECT_EQ(quantized("{ \"model.width\" = 64 }"), "nnyy");
  EXPECT_EQ(plan_with("base.train.seed=1", kGrid + ptq + "\"N>1e9\"\n").notes.at(0),
            "[ptq] where holds for no cell: nothing is quantized");
}

}  // namespace
}  // namespace bitlaw
