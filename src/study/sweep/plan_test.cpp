#include "sweep/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "record/result.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

TEST(SweepPlan, EveryRunIsTrainedAndThenQuantizedIfItIsToBe) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  ASSERT_EQ(plan.runs.size(), 2u);
  const std::vector<Job> jobs = make_jobs(plan);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[0].kind, JobKind::kTrain);
  EXPECT_EQ(jobs[0].run, plan.runs[0].name);
  EXPECT_EQ(jobs[0].name, "recipe.weights=16 train.tokens=25600");
  EXPECT_EQ(jobs[0].tokens, 25'600);
  EXPECT_EQ(jobs[0].configuration, plan.runs[0].cell.config);
  EXPECT_EQ(jobs[0].after, -1);
  EXPECT_EQ(jobs[0].memory_bytes, 0) << "it is not predicted unless somebody asks";
  EXPECT_EQ(jobs[1].kind, JobKind::kQuantize);
  EXPECT_EQ(jobs[1].run, plan.runs[0].name);
  EXPECT_EQ(jobs[1].name, jobs[0].name + " (quantize)");
  EXPECT_EQ(jobs[1].grid.bits, (std::vector<int>{3, 4}));
  EXPECT_EQ(jobs[1].after, 0);
  EXPECT_EQ(jobs[2].run, plan.runs[1].name);
  EXPECT_EQ(jobs[2].after, -1);
}

TEST(SweepPlan, CostsAreFlopOfTokens) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const double a_token = plan.runs[0].resolved.config.model.training_flops_per_token();
  const std::vector<Job> jobs = make_jobs(plan);
  EXPECT_DOUBLE_EQ(jobs[0].cost, a_token * 25'600);
  EXPECT_DOUBLE_EQ(jobs[1].cost, a_token * 3 * 512 / 3) << "two cells and the unquantized model";
}

TEST(SweepPlan, MemoryIsPredictedForTrainingThatIsLeft) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  std::vector<Job> jobs = make_jobs(plan);
  write_result(plan.directory / jobs[2].run, {.status = RunStatus::kDiverged});
  predict_memory(jobs, plan);
  EXPECT_GT(jobs[0].memory_bytes, 1e6);
  EXPECT_EQ(jobs[1].memory_bytes, 0) << "of quantization it is not known";
  EXPECT_EQ(jobs[2].memory_bytes, 0) << "it is done";
}

TEST(SweepPlan, CellsThatDifferInSpellingAreOneRun) {
  const StudyFolder tiny("[[grid]]\n\"recipe.weights\" = [\"4\", \"int4\", \"e2m1\"]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  EXPECT_EQ(plan.study.cells.size(), 3u);
  EXPECT_EQ(plan.runs.size(), 2u);
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_EQ(plan.notes[0],
            "1 of the 3 cells are runs that other cells name with other words; each "
            "run is made once");
}

constexpr const char* kTrunk =
    "optimizer.batch_power = 0\nschedule.kind = \"wsd\"\nschedule.warmup_steps = 4\n"
    "schedule.decay = 0.2\n[[grid]]\n\"train.tokens\" = [5_120, 25_600, 10_240]\n";

TEST(SweepPlan, RunsOfOneTrunkBranchOffTheLongest) {
  const StudyFolder tiny(kTrunk);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const std::vector<Job> jobs = make_jobs(plan);
  ASSERT_EQ(jobs.size(), 3u);
  const double a_step = plan.runs[0].flops / 20;
  EXPECT_EQ(jobs[1].trunk, -1);
  EXPECT_EQ(jobs[1].share_steps, (std::vector<int64_t>{16, 32}));
  EXPECT_DOUBLE_EQ(jobs[1].cost, 100 * a_step);
  for (const size_t i : {size_t{0}, size_t{2}}) {
    const int64_t begin = i == 0 ? 16 : 32;
    EXPECT_TRUE(jobs[i].share);
    EXPECT_EQ(jobs[i].trunk, 1);
    EXPECT_EQ(jobs[i].trunk_tokens, begin * 256);
    EXPECT_EQ(jobs[i].trunk_state,
              "trunks/" + plan.runs[1].trunk + "/step-" + std::to_string(begin));
    EXPECT_NEAR(jobs[i].cost, static_cast<double>(begin) / 4 * a_step, 1e-6 * a_step);
  }
}

TEST(SweepPlan, RunsThatKeepModelsAlongThemAreTrainedAlone) {
  const StudyFolder tiny(kTrunk);
  const SweepPlan plan = plan_sweep({tiny.study()[0], "checkpoints=2"}, tiny.runs());
  for (const Job& job : make_jobs(plan)) EXPECT_EQ(job.trunk, -1);
}

TEST(SweepPlan, ATrunkIsOneSeedOneRecipeAndOneWarmUp) {
  const StudyFolder tiny(std::string(kTrunk) +
                         "\"train.seed\" = [1, 2]\n\"recipe.weights\" = [\"16\", \"4\"]\n");
  const std::vector<Job> jobs = make_jobs(plan_sweep(tiny.study(), tiny.runs()));
  EXPECT_EQ(std::count_if(jobs.begin(), jobs.end(), [](const Job& job) { return job.trunk < 0; }),
            4);
  const std::string share = "base.schedule.warmup_steps=0";
  for (const Job& job : make_jobs(plan_sweep({tiny.study()[0], share}, tiny.runs()))) {
    EXPECT_EQ(job.trunk, -1) << "a warm-up that is a share of the run";
    EXPECT_FALSE(job.share);
  }
}

TEST(SweepPlan, AShorterStudyHasAShorterWarmUp) {
  const StudyFolder tiny(kTrunk);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  scale_tokens(plan, 0.5);
  EXPECT_EQ(plan.runs[1].resolved.config.schedule.warmup_steps, 2);
  EXPECT_EQ(make_jobs(plan)[1].share_steps, (std::vector<int64_t>{8, 16}));
}

TEST(SweepPlan, ModelsAlongTheRunsCanBeOverridden) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep({tiny.study()[0], "checkpoints=3"}, tiny.runs());
  EXPECT_EQ(make_jobs(plan)[0].checkpoints, 3);
}

TEST(SweepPlan, ModelsAlongTheRunsAreQuantizedIfAskedFor) {
  const StudyFolder tiny(kTwoRuns);
  const std::string study = tiny.study()[0];
  const SweepPlan plan = plan_sweep({study, "checkpoints=3", "ptq.along=true"}, tiny.runs());
  EXPECT_EQ(quantized_models(plan, plan.runs[0]), 4);
  const std::vector<Job> jobs = make_jobs(plan);
  const double a_token = plan.runs[0].resolved.config.model.training_flops_per_token();
  EXPECT_DOUBLE_EQ(jobs[1].cost, 4 * a_token * 3 * 512 / 3);
  const std::vector<std::string> command = job_command(jobs[1], plan.directory, "bitlaw");
  EXPECT_NE(std::find(command.begin(), command.end(), "--along"), command.end());
  EXPECT_NE(error_of([&] {
              plan_sweep({study, "ptq.along=true"}, "");
            }).find("none is kept"),
            std::string::npos);
}

TEST(SweepPlan, OldNamesGetOneNoteEach) {
  const StudyFolder tiny(
      "[[grid]]\n\"recipe.activations\" = [\"4\", \"6\"]\n"
      "\"recipe.activations_granularity\" = [\"tensor\"]\n[ptq]\nkv_granularity = \"tensor\"\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  ASSERT_EQ(plan.notes.size(), 2u);
  EXPECT_EQ(plan.notes[0].find("kv_granularity = tensor means one scale per sequence"), 0u);
  EXPECT_EQ(plan.notes[1].find("recipe.activations_granularity = tensor means"), 0u);
  const StudyFolder current(kTwoRuns);
  EXPECT_TRUE(plan_sweep(current.study(), current.runs()).notes.empty());
}

TEST(SweepPlan, OverridesAndDirectoriesAreFollowed) {
  const StudyFolder tiny(kTwoRuns);
  std::vector<std::string> study = tiny.study();
  EXPECT_EQ(plan_sweep(study, "").directory, "runs/tiny");
  study.push_back("base.train.seed=5");
  const SweepPlan plan = plan_sweep(study, tiny.runs());
  EXPECT_EQ(plan.directory, tiny.runs());
  for (const PlannedRun& run : plan.runs) EXPECT_EQ(run.resolved.config.train.seed, 5);
}

TEST(SweepPlan, TokensShrinkToTenStepsAtTheLeast) {
  const StudyFolder tiny("[[grid]]\n\"train.tokens\" = [12_800, 25_600]\n");
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const std::string before = plan.runs[1].name;
  scale_tokens(plan, 0.15);
  EXPECT_EQ(plan.runs[0].resolved.config.train.tokens, 2560);
  EXPECT_EQ(plan.runs[1].resolved.config.train.tokens, 3840);
  EXPECT_NE(plan.runs[1].name, before) << "another run";
  scale_tokens(plan, 1e-6);
  EXPECT_EQ(plan.runs.size(), 1u) << "what has become the same is made once";
}

TEST(SweepPlan, NamesTheKeyThatIsWrong) {
  const StudyFolder tiny(kTwoRuns);
  const auto error = [&](const std::string& override) {
    return error_of([&] { plan_sweep({tiny.study()[0], override}, ""); });
  };
  EXPECT_NE(error("base.model.wdith=4").find("did you mean 'model.width'?"), std::string::npos);
  EXPECT_NE(error("ptq.bist=[4]").find("did you mean 'bits'?"), std::string::npos);
  EXPECT_NE(error("base.data.path=\"\"").find("data.path is not set"), std::string::npos);
}

TEST(SweepPlan, NamesTheCellThatNoRunCanBe) {
  const StudyFolder tiny("[[grid]]\n\"model.width\" = [32, 48]\n\"model.heads\" = [2, 5]\n");
  EXPECT_EQ(
      error_of([&] { plan_sweep(tiny.study(), ""); }),
      "tiny: model.heads=5 model.width=32: model.heads = 5: width / heads must be an even whole "
      "number, but width is 32");
}

TEST(SweepPlan, RunsInATableAreNotMadeAndTrainNoTrunk) {
  const StudyFolder tiny(kTrunk);
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  plan.runs[1].table = "table.csv";
  const std::vector<Job> jobs = make_jobs(plan);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].trunk, 1) << "the longest of those that are left";
  EXPECT_EQ(make_jobs(plan, 2).size(), 1u);
}

TEST(SweepPlan, MemoryIsPredictedOnceForEachKindOfRun) {
  const StudyFolder tiny("[[grid]]\n\"train.seed\" = [1, 2]\n\"train.tokens\" = [2_560, 5_120]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  std::vector<Job> jobs = make_jobs(plan);
  predict_memory(jobs, plan);
  for (const Job& job : jobs) EXPECT_EQ(job.memory_bytes, jobs[0].memory_bytes);
}

}  // namespace
}  // namespace bitlaw
