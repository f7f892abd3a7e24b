#include "record/kept_model.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

// Twenty steps of 100 tokens, a line for each; two models were kept, one was removed since.
std::string metrics() {
  std::string lines;
  for (int step = 1; step <= 20; ++step) {
    lines +=
        dump_json(Json{{"step", step}, {"tokens", 100 * step}, {"loss_nats", 5.0 - step}}) + "\n";
    if (step != 5 && step != 10) continue;
    const std::string name = "tokens-" + std::to_string(100 * step);
    lines += dump_json(Json{{"step", step},
                            {"tokens", 100 * step},
                            {"validation", struct_to_json(Validation{.loss_nats = 6.0 - step})},
                            {"checkpoint", name}}) +
             "\n";
  }
  return lines + "{\"step\": 21, \"tok";  // torn by a kill
}

TEST(KeptModels, AreThoseOnDiskAndThoseThatWere) {
  const TestFolder folder;
  folder.write("a/run.json", "{}");
  folder.write("a/metrics.jsonl", metrics());
  folder.write("a/checkpoints/tokens-1000/model.safetensors", "1234");
  folder.write("a/checkpoints/tokens-1900/model.safetensors", "");
  folder.write("a/checkpoints/tokens-1500.tmp/model.safetensors", "");
  folder.write("a/checkpoints/final/model.safetensors", "");
  const std::vector<KeptModel> kept = kept_models(folder / "a");
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].tokens, 500);
  EXPECT_FALSE(kept[0].is_there);
  EXPECT_EQ(kept[0].validation->loss_nats, 1);
  EXPECT_EQ(kept[0].train_loss_nats, 0) << "5 % of five steps are none: the last line";
  EXPECT_EQ(kept[1].tokens, 1000);
  EXPECT_TRUE(kept[1].is_there);
  EXPECT_EQ(kept[1].validation->loss_nats, -4);
  EXPECT_EQ(kept[2].tokens, 1900);
  EXPECT_FALSE(kept[2].validation) << "killed between the model and its line";

  EXPECT_EQ(remove_kept_model(folder / "a", 1000), 4);
  EXPECT_EQ(remove_kept_model(folder / "a", 1000), 0);
  const std::vector<KeptModel> later = kept_models(folder / "a");
  ASSERT_EQ(later.size(), 3u);
  EXPECT_FALSE(later[1].is_there);
  EXPECT_EQ(later[1].validation->loss_nats, -4) << "what was measured stays";
  EXPECT_TRUE(kept_models(folder / "none").empty());
}

TEST(KeptModels, DamagedLinesAreNamedAndTheRestIsRead) {
  const TestFolder folder;
  folder.write("a/run.json", "{}");
  folder.write("a/checkpoints/tokens-500/x", "");
  folder.write("a/checkpoints/tokens-1000/x", "");
  std::vector<std::string> problems;
  folder.write("a/metrics.jsonl", metrics());
  kept_models(folder / "a", &problems);
  EXPECT_TRUE(problems.empty()) << "a torn line of a run that goes on";

  // The 6th line has the loss of the first model, the 11th a training loss.
  std::string lines = metrics();
  const auto cut = [&](const std::string& text, size_t length) {
    const size_t place = lines.find(text);
    ASSERT_NE(place, std::string::npos);
    lines.replace(place, length, "#");
  };
  cut("\"tokens-500\"", 6);
  cut("{\"loss_nats\":-4.0,", 8);
  folder.write("a/metrics.jsonl", lines);
  const std::vector<KeptModel> kept = kept_models(folder / "a", &problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0],
            (folder / "a/metrics.jsonl").string() +
                ": lines 6 and 10 are damaged, and the loss of the model kept at 500 tokens is not "
                "known; restore the file from a copy, or train the run again in another "
                "--directory, which gives the same numbers");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_FALSE(kept[0].validation);
  EXPECT_EQ(kept[0].train_loss_nats, 0);
  EXPECT_EQ(kept[1].validation->loss_nats, -4);

  problems.clear();
  folder.write("a/metrics.jsonl", "");
  folder.write("a/result.json", "{}");
  kept_models(folder / "a", &problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(
      problems[0].find("has no validation of the models kept at 500 and 1000 tokens, so their "
                       "losses are not known"),
      std::string::npos)
      << problems[0];
}

TEST(KeptModels, ANumberOfStepsThatCannotBeIsDamage) {
  const TestFolder folder;
  folder.write("a/run.json", "{}");
  folder.write("a/checkpoints/tokens-500/x", "");
  folder.write("a/metrics.jsonl",
               "{\"step\": -9223372036854775808, \"tokens\": 100, \"loss_nats\": 5.0}\n"
               "{\"step\": 9223372036854775807, \"tokens\": 200, \"loss_nats\": 4.0}\n"
               "{\"step\": 3, \"tokens\": -300, \"loss_nats\": 4.0}\n");
  std::vector<std::string> problems;
  kept_models(folder / "a", &problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("lines 1, 2 and 3 are damaged"), std::string::npos) << problems[0];
}

TEST(KeptModels, TheTrainingLossIsAMeanOfTheLastFivePercent) {
  const TestFolder folder;
  std::string lines;
  for (int step = 10; step <= 400; step += 10)
    lines += dump_json(Json{{"step", step}, {"tokens", step}, {"loss_nats", step}}) + "\n";
  folder.write("a/metrics.jsonl", lines);
  folder.write("a/checkpoints/tokens-400/x", "");
  folder.write("a/checkpoints/tokens-200/x", "");
  const std::vector<KeptModel> kept = kept_models(folder / "a");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].train_loss_nats, 200) << "ten steps, one line";
  EXPECT_EQ(kept[1].train_loss_nats, 395) << "twenty steps, two lines";
}

TEST(KeptModels, TheTrainingLossIsACurve) {
  const TestFolder folder;
  EXPECT_TRUE(training_losses(folder / "a").empty());
  folder.write("a/metrics.jsonl", metrics());
  const std::vector<LossAt> curve = training_losses(folder / "a");
  ASSERT_EQ(curve.size(), 4u);
  for (int step = 1; step <= 4; ++step) {  // later ones of this file are not positive
    EXPECT_EQ(curve[step - 1].loss_nats, 5.0 - step);
    EXPECT_EQ(curve[step - 1].tokens, 100 * step - 50);  // the middle of what it is a mean of
  }
}

TEST(KeptModels, APlaceIsKnownByItsPath) {
  const TestFolder folder;
  folder.write("a/run.json", "{}");
  folder.write("a/checkpoints/tokens-1000/config.json", "{}");
  const auto place = kept_place(folder / "a/checkpoints/tokens-1000/");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->tokens, 1000);
  EXPECT_EQ(place->run.filename(), "a");
  EXPECT_FALSE(kept_place(folder / "a/checkpoints/final"));
  EXPECT_FALSE(kept_place(folder / "a"));
  EXPECT_FALSE(kept_place(folder / "b/checkpoints/tokens-1000")) << "no run";
}

}  // namespace
}  // namespace bitlaw
