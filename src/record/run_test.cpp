#include "record/run.h"

#include <gtest/gtest.h>

#include "base/checksum.h"
#include "base/test_folder.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw {
namespace {

// As `bitlaw train` and `bitlaw quantize` have always written it: read, and written again, it only
// gets a checksum.
constexpr const char* kTrained = R"({
 "build": {
  "compiler": "12.2.0",
  "isa": "avx512",
  "version": "0.1.0"
 },
 "config": {
  "data": {
   "hash": "abc"
  },
  "model": {
   "heads": 4,
   "hidden": 192,
   "layers": 2,
   "sequence": 128,
   "vocabulary": 4096,
   "width": 64
  },
  "optimizer": {
   "beta1": 0.9
  },
  "recipe": {
   "activations": "bf16",
   "activations_granularity": "tensor",
   "kv": "bf16",
   "kv_granularity": "tensor",
   "queries": "bf16",
   "weights": "int4",
   "weights_granularity": "channel"
  },
  "schedule": {
   "kind": "cosine"
  },
  "train": {
   "batch_tokens": 8192,
   "lr": 0.02,
   "seed": 1,
   "tokens": 8003584
  },
  "version": 1
 },
 "created": "2026-01-02T03:04:05Z",
 "data": {
  "hash": "abc",
  "path": "data",
  "tokenizer": "bpe",
  "train_tokens": 60000000,
  "validation_tokens": 3000000,
  "vocabulary": 4096
 },
 "model": {
  "flops_per_token": 1234567.5,
  "parameters": 98304,
  "parameters_with_embeddings": 622592
 },
 "name": "a22b1053172bcbce",
 "peak_learning_rate": 0.02,
 "recipe": "w4",
 "schema": 1
}
)";

constexpr const char* kCheckpointRun = R"({
 "checkpoint": {
  "family": "gpt_neox",
  "path": "/models/pythia",
  "weights_hash": "aa"
 },
 "config": {
  "model": {
   "heads": 4,
   "layers": 2,
   "sequence": 128,
   "vocabulary": 4096,
   "width": 64
  },
  "recipe": {
   "activations": "16",
   "kv": "16",
   "queries": "16",
   "weights": "16"
  },
  "train": {
   "tokens": null
  }
 },
 "data": {
  "hash": "abc"
 },
 "model": {
  "parameters": 98304,
  "parameters_with_embeddings": 622592
 }
}
)";

TEST(RunRecord, IsReadAndWrittenWithTheSameFields) {
  const TestFolder folder;
  for (const char* text : {kTrained, kCheckpointRun}) {
    folder.write("a/run.json", text);
    write_run_record(folder / "b", read_run_record(folder / "a"));
    const Json written = parse_json(read_file(folder / "b/run.json"), "b");
    EXPECT_EQ(written, with_checksum(parse_json(text, "a")));
    EXPECT_EQ(struct_to_json(read_run_record(folder / "b")),
              struct_to_json(read_run_record(folder / "a")));
  }
}

TEST(RunRecord, SaysWhatTablesNeed) {
  const TestFolder folder;
  folder.write("a/run.json", kTrained);
  const RunRecord trained = read_run_record(folder / "a");
  EXPECT_EQ(trained.model.parameters, 98304);
  EXPECT_EQ(trained.data.train_tokens, 60000000);
  EXPECT_EQ(trained.settings().train.tokens, 8003584);
  EXPECT_EQ(trained.settings().schedule->kind, "cosine");
  EXPECT_EQ(trained.recipe_config().weights, "int4");
  EXPECT_EQ(trained.settings().recipe.activations_granularity, "sequence") << "its name today";
  EXPECT_EQ(trained.settings().recipe.weights_granularity, "channel");
  EXPECT_EQ(trained.recipe_config().kv_granularity, "sequence");
  EXPECT_EQ(trained.current_config()["optimizer"]["batch_power"], 0)
      << "its rate had no such power";
  EXPECT_FALSE(trained.checkpoint.has_value());
  folder.write("a/run.json", kCheckpointRun);
  const RunRecord foreign = read_run_record(folder / "a");
  EXPECT_EQ(foreign.checkpoint->family, "gpt_neox");
  EXPECT_FALSE(foreign.settings().train.tokens.has_value());
  EXPECT_FALSE(foreign.current_config().contains("optimizer"));
  EXPECT_EQ(foreign.recipe_config().weights, "16");
}

TEST(RunRecord, DirectoriesAreFoundInTheOrderOfTheirNames) {
  const TestFolder folder;
  for (const char* name : {"b", "a"})
    write_run_record(folder / name, trained_run_record(1000, "4"));
  folder.write("index.sqlite", "");
  EXPECT_EQ(find_run_directories(folder.path()),
            (std::vector<std::filesystem::path>{folder / "a", folder / "b"}));
  EXPECT_NE(error_of([&] {
              find_run_directories(folder / "nothing");
            }).find("does not exist; give a directory of runs"),
            std::string::npos);
  folder.write("all.csv", "N,D,loss\n");
  EXPECT_EQ(error_of([&] { find_run_directories(folder / "all.csv"); }),
            (folder / "all.csv").string() +
                ": is a file; `bitlaw runs` and `bitlaw report` take a directory of runs, `bitlaw "
                "fit` and `bitlaw compare` also take a table");
}

TEST(RunRecord, DamageIsNamedWithWhatToDo) {
  const TestFolder folder;
  const std::string file = (folder / "a/run.json").string();
  EXPECT_EQ(error_of([&] { read_run_record(folder / "a"); }),
            (folder / "a").string() +
                ": is not a run (it has no run.json); `bitlaw runs` lists the runs that exist");
  const Json good = Json::parse(kTrained);
  struct Case {
    const char *place, *value, *sentence;
  };
  const Case cases[] = {
      {"/config/train/lr", "null", "config.train.lr is missing"},
      {"/config/model/width", "\"wide\"",
       "config.model.width must be a whole number, not \"wide\""},
      {"/config/recipe/weights", "\"odd\"", "recipe.weights"},
      {"/config", "3", "config must be an object, not 3"},
      {"/data/path", "null", "data.path is missing"},
      {"/data/hash", "1", "data.hash must be text, not 1"},
      {"/build", "null", "build is missing"},
      {"/name", "3", "name must be text, not 3"},
      {"/name", "\"aa\"", "has the configuration of the run "},
      {"/config/recipe/weights", "3", "recipe.weights"},
      {"/config/recipe/weights", "\"int3\"", "has the configuration of the run "},
      {"/checksum", "\"0\"", "was changed after it was written: its checksum does not match"},
  };
  for (const Case& one : cases) {
    Json document = good;
    const std::string place = one.place;
    const size_t name = place.rfind('/');
    (*find_json_pointer(document, place.substr(0, name)))[place.substr(name + 1)] =
        Json::parse(one.value);
    folder.write("a/run.json", dump_json(document));
    const std::string error = error_of([&] { read_run_record(folder / "a"); });
    EXPECT_EQ(error.find(file + ": "), 0u) << error;
    EXPECT_NE(error.find(one.sentence), std::string::npos) << error;
    EXPECT_TRUE(error.ends_with("; move the directory away and repeat the run")) << error;
  }
  folder.write("a/run.json", std::string(kTrained).substr(0, 200));
  EXPECT_EQ(error_of([&] { read_run_record(folder / "a"); }).find(file + ": not valid JSON"), 0u);
}

TEST(RunRecord, OfALaterVersionIsNotRead) {
  const TestFolder folder;
  Json document = Json::parse(kTrained);
  document["schema"] = kRunSchema + 1;
  folder.write("a/run.json", dump_json(document));
  EXPECT_EQ(
      error_of([&] { read_run_record(folder / "a"); }),
      (folder / "a/run.json").string() +
          ": was written by a later version of bitlaw (schema 2; this one reads up to 1); use "
          "that version, or give another directory");
  folder.write("a/result.json", R"({"status": "diverged", "schema": 2})");
  EXPECT_NE(error_of([&] { run_status(folder / "a"); }).find("a later version of bitlaw"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
