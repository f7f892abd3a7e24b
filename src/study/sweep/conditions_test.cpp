#include "sweep/conditions.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "record/result.h"
#include "runs/tidy_rows.h"
#include "sweep/study_for_tests.h"
#include "train/run.h"

namespace bitlaw {
namespace {

constexpr const char* kSizes =
    "[variants.size]\nsmall = { \"model.width\" = 32 }\nlarge = { \"model.width\" = 64 }\n"
    "[[grid]]\nsize = [\"small\", \"large\"]\n\"train.tokens\" = [2_560, 25_600]\n"
    "\"recipe.weights\" = [\"16\", \"4\"]\n";

// The labels of the cells that are left, without what all have in common.
std::string selected(const std::string& rest, const std::vector<std::string>& only) {
  const StudyFolder tiny(rest);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  keep_only(plan, only);
  EXPECT_EQ(plan.study.cells.size(), plan.runs.size());
  std::string out;
  for (const PlannedRun& run : plan.runs) {
    for (const Choice& choice : run.cell.choices) out += choice.second + " ";
    out += "| ";
  }
  return out;
}

TEST(CellConditions, AreAboutColumnsOfTheTableOfRuns) {
  EXPECT_EQ(selected(kSizes, {"D<1e4", "P_w=4"}), "4 small 2560 | 4 large 2560 | ");
  EXPECT_EQ(selected(kSizes, {"width=64,D<1e4,P_w=4,16"}), "16 large 2560 | 4 large 2560 | ");
  EXPECT_EQ(selected(kSizes, {"D/N>0.9", "format_w!=int4"}), "16 small 25600 | ");
}

TEST(CellConditions, AreAboutVariantsAndKeys) {
  EXPECT_EQ(selected(kSizes, {"size=small", "train.tokens>=25.6k", "recipe.weights=int4"}),
            "4 small 25600 | ");
  EXPECT_EQ(selected(kSizes, {"size!=small", "train.tokens=2560", "recipe.weights=4"}),
            "4 large 2560 | ");
  EXPECT_EQ(selected(kSizes, {"size=large", "recipe.weights!=int4", "D<1e4"}), "16 large 2560 | ");
  EXPECT_EQ(selected(kSizes, {"train.seed=1", "model.tied_head=false", "size=large", "P_w=4"}),
            "4 large 2560 | 4 large 25600 | ")
      << "keys that no cell gives";
}

TEST(CellConditions, SayWhatIsWrong) {
  const auto said = [](const std::string& only) {
    return error_of([&] { selected(kSizes, {only}); });
  };
  EXPECT_NE(
      said("widht=32").find("--only 'widht=32': unknown column 'widht'; did you mean 'width'?"),
      std::string::npos)
      << said("widht=32");
  EXPECT_NE(said("train.tokns=1").find("did you mean 'train.tokens'?"), std::string::npos);
  EXPECT_NE(said("sze=small").find("did you mean 'size'?"), std::string::npos);
  EXPECT_NE(said("width").find("has no sign"), std::string::npos);
  EXPECT_EQ(said("N>1e9"), "--only 'N>1e9': holds for none of the 8 cells of tiny");
}

TEST(CellConditions, CommasSeparateConditionsAndValues) {
  EXPECT_EQ(split_conditions({"P_w=3,4,N<1e6", "seed=1"}),
            (std::vector<std::string>{"P_w=3,4", "N<1e6", "seed=1"}));
  EXPECT_EQ(split_conditions({""}), std::vector<std::string>{""});
}

// What a condition sees before a run starts is what its row says afterwards.
TEST(CellConditions, ThePlannedRowIsThatOfTheRun) {
  const StudyFolder tiny(
      "train.tokens = 2_560\ntrain.validation_tokens = 640\n[[grid]]\n"
      "\"recipe.weights\" = [\"4\"]\n\"schedule.warmup_steps\" = [3]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const PlannedRun& run = plan.runs.at(0);
  train(run.given, {.directory = tiny.runs(), .threads = 1, .quiet = true});
  TidyRow made = read_run_rows(plan.directory / run.name).rows.at(0);
  EXPECT_EQ(made.status, "finished");
  made.status = "started";
  made.loss = made.loss_standard_error = made.bits_per_byte = made.run_fraction = kNoNumber;
  made.train_loss = made.seconds = made.tokens_per_second = made.spent_flop = kNoNumber;
  made.weights_hash.clear();
  EXPECT_EQ(tidy_to_csv({planned_row(run, plan.data_of(run))}), tidy_to_csv({made}));
}

}  // namespace
}  // namespace bitlaw
