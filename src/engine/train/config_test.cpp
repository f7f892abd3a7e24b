#include "train/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/hash.h"
#include "record/later_keys.h"

namespace bitlaw {
namespace {

DatasetInfo some_data() {
  DatasetInfo data;
  data.hash = "0123456789abcdef0123456789abcdef";
  data.vocabulary = 1024;
  data.train.tokens = 10'000'000;
  data.validation.tokens = 500'000;
  return data;
}

TrainConfig small() {
  TrainConfig config;
  config.data.path = "data/debian";
  return config;
}

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(TrainConfig, ResolvesTokensToWholeStepsAndCapsWhatTheDataCannotGive) {
  TrainConfig config = small();
  config.train.tokens = 8'000'000;
  config.train.batch_tokens = 512;
  config.train.lanes = 4;
  const ResolvedConfig resolved = resolve(config, some_data());
  EXPECT_EQ(resolved.steps, 15625);
  EXPECT_EQ(resolved.config.train.tokens, 15625 * 512);
  EXPECT_EQ(resolved.batch_sequences, 2);
  EXPECT_EQ(resolved.config.train.lanes, 2) << "no more lanes than sequences";
  EXPECT_EQ(resolved.config.model.vocabulary, 1024);
  EXPECT_EQ(resolved.config.train.validation_tokens, 499'999 / 256 * 256)
      << "the whole validation set";
  config.optimizer.batch_power = 0;
  EXPECT_EQ(resolve(config, some_data()).peak_rate, config.train.lr);
}

TEST(TrainConfig, TheNameIsAPureFunctionOfWhatChangesTheResult) {
  const std::string name = resolve(small(), some_data()).name();
  EXPECT_EQ(name.size(), 16u);
  EXPECT_EQ(name.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(resolve(small(), some_data()).name(), name);

  const auto renamed = [](const std::function<void(TrainConfig&)>& change) {
    TrainConfig config = small();
    change(config);
    return resolve(config, some_data()).name();
  };
  // Other words for the same run.
  EXPECT_EQ(renamed([](TrainConfig& c) { c.data.path = "elsewhere"; }), name);
  EXPECT_EQ(renamed([](TrainConfig& c) { c.recipe.weights = "bf16"; }), name);
  EXPECT_EQ(renamed([](TrainConfig& c) { c.recipe.kv_granularity = "token"; }), name)
      << "BF16 has no scale";
  EXPECT_EQ(renamed([](TrainConfig& c) { c.schedule.decay = 0.4; }), name) << "wsd only";
  EXPECT_EQ(renamed([](TrainConfig& c) { c.model.kv_heads = c.model.heads; }), name);
  EXPECT_EQ(renamed([](TrainConfig& c) { c.train.tokens += 100; }), name)
      << "the same number of steps";
  EXPECT_EQ(renamed([](TrainConfig& c) { c.recipe.weights = "4"; }),
            renamed([](TrainConfig& c) { c.recipe.weights = "int4"; }));
  // Other runs.
  for (const auto& change : std::vector<std::function<void(TrainConfig&)>>{
           [](TrainConfig& c) { c.recipe.weights = "4"; },
           [](TrainConfig& c) { c.train.seed = 2; },
           [](TrainConfig& c) { c.train.lr *= 1 + 1e-15; },
           [](TrainConfig& c) { c.train.lanes = 2; },
           [](TrainConfig& c) { c.train.backward = "fp32"; },
           [](TrainConfig& c) { c.train.tokens *= 2; },
           [](TrainConfig& c) { c.schedule.kind = "wsd"; },
           [](TrainConfig& c) { c.optimizer.weight_decay = 0; },
           [](TrainConfig& c) { c.model.layers = 3; },
       }) {
    EXPECT_NE(renamed(change), name);
  }
  DatasetInfo other = some_data();
  other.hash[0] = 'f';
  EXPECT_NE(resolve(small(), other).name(), name);
}

// A name of a format says everything once: other words for it are the same run.
TEST(TrainConfig, ABlockFormatSpelledOutIsTheSameRun) {
  const auto resolved = [](const char* weights, const char* shared, const char* kv) {
    TrainConfig config = small();
    config.recipe.weights = weights;
    config.recipe.weights_granularity = shared;
    config.recipe.kv = kv;
    return resolve(config, some_data());
  };
  const ResolvedConfig run = resolved("mxfp4", "channel", "nvfp4");
  EXPECT_EQ(run.config.recipe.weights, "mxfp4");
  EXPECT_EQ(run.config.recipe.weights_granularity, "channel") << "the format says it";
  EXPECT_EQ(run.config.recipe.kv_granularity, "sequence");
  EXPECT_EQ(run.recipe.weights, parse_quantizer("mxfp4"));
  for (const auto& [weights, shared] :
       {std::pair("mxfp4", "group32"), {"MXFP4", "channel"}, {"e2m1-e8m0", "group32"}})
    EXPECT_EQ(resolved(weights, shared, "nvfp4").name(), run.name()) << weights << " " << shared;
  for (const auto& [weights, shared] :
       {std::pair("e2m1", "group32"), {"e2m1-e8m0", "group64"}, {"e2m1-e8m0", "channel"}})
    EXPECT_NE(resolved(weights, shared, "nvfp4").name(), run.name()) << weights << " " << shared;
  const ResolvedConfig again = resolve(run.config, some_data());
  EXPECT_EQ(dump_json(again.document()), dump_json(run.document()));
}

TEST(TrainConfig, ARecipeKnownFromAPaperIsTheSameRunAsItsKeys) {
  const auto resolved = [](const RecipeConfig& recipe) {
    TrainConfig config = small();
    config.recipe = recipe;
    return resolve(config, some_data());
  };
  const ResolvedConfig run = resolved({.named = "quest-w4a4"});
  const RecipeConfig keys{.weights = "4+trust+hadamard128+gauss",
                          .activations = "int4+gauss+hadamard128+trust",
                          .activations_granularity = "token"};
  EXPECT_EQ(resolved(keys).name(), run.name());
  EXPECT_EQ(resolve(run.config, some_data()).name(), run.name());
  EXPECT_EQ(dump_json(resolve(run.config, some_data()).document()), dump_json(run.document()));
  EXPECT_FALSE(run.document()["recipe"].contains("named"));
  for (const char* weights : {"4", "4+gauss", "4+gauss+trust"}) {
    RecipeConfig other = keys;
    other.weights = other.activations = weights;
    EXPECT_NE(resolved(other).name(), run.name()) << weights;
  }
}

// Of two block formats neither says what shares a scale in the other.
TEST(TrainConfig, QueriesMayHaveAnotherBlockThanKeysAndValues) {
  TrainConfig config = small();
  config.recipe.kv = "mxfp8-e4m3";
  config.recipe.queries = "nvfp4";
  const ResolvedConfig once = resolve(config, some_data());
  EXPECT_EQ(once.recipe.keys, parse_quantizer("mxfp8-e4m3"));
  EXPECT_EQ(once.recipe.queries, parse_quantizer("nvfp4"));
  EXPECT_EQ(resolve(once.config, some_data()).recipe, once.recipe);
  config.recipe.queries = "int8";
  config.recipe.kv_granularity = "group32";
  const ResolvedConfig same_group = resolve(config, some_data());
  EXPECT_EQ(same_group.config.recipe.kv_granularity, "group32") << "queries use it";
  EXPECT_EQ(resolve(same_group.config, some_data()).recipe, same_group.recipe);
}

// Up to version 0.2, per sequence was called tensor. The run is the same, so its name stays.
TEST(TrainConfig, ARunKeepsItsNameUnderTheNewNameOfPerSequence) {
  TrainConfig config = small();
  config.recipe.activations = config.recipe.kv = "4";
  const ResolvedConfig now = resolve(config, some_data());
  config.recipe.activations_granularity = config.recipe.kv_granularity = "tensor";
  const ResolvedConfig old = resolve(config, some_data());
  EXPECT_EQ(now.config.recipe.activations_granularity, "sequence");
  EXPECT_EQ(old.document(), now.document());
  EXPECT_EQ(old.recipe, now.recipe);
  Json hashed = now.document();
  remove_later_keys(hashed);
  hashed["recipe"]["activations_granularity"] = hashed["recipe"]["kv_granularity"] = "tensor";
  EXPECT_EQ(now.name(), hash_hex(dump_json(hashed)).substr(0, 16));
}

// Version 0.2 did not scale the rate with the batch. A run that does not, either, is the same run.
TEST(TrainConfig, ARunKeepsItsNameWithoutAPowerOfTheBatch) {
  TrainConfig config = small();
  const std::string scaled = resolve(config, some_data()).name();
  config.optimizer.batch_power = 0;
  const ResolvedConfig old = resolve(config, some_data());
  Json hashed = old.document();
  EXPECT_EQ(hashed["optimizer"].erase("batch_power"), 1u);
  EXPECT_EQ(hashed["schedule"].erase("warmup_steps"), 1u);
  EXPECT_EQ(hashed["schedule"].erase("decay_shape"), 1u);
  hashed["recipe"]["activations_granularity"] = hashed["recipe"]["kv_granularity"] = "tensor";
  EXPECT_EQ(old.name(), hash_hex(dump_json(hashed)).substr(0, 16));
  EXPECT_NE(old.name(), scaled);
}

// What is added to the record of an older run is a key that a run has.
TEST(TrainConfig, LaterKeysAreKeysOfARun) {
  Json config;
  for (const ConfigKey& key : config_keys(TrainConfig{}))
    config[key.name.substr(0, key.name.find('.'))] = Json::object();
  add_later_keys(config);
  const Json defaults = to_json(TrainConfig{});
  size_t added = 0;
  for (const auto& [section, keys] : config.items()) {
    for (const auto& [key, value] : keys.items()) {
      EXPECT_TRUE(defaults[section].contains(key)) << section << "." << key;
      ++added;
    }
  }
  EXPECT_GT(added, 0u);
}

TEST(TrainConfig, ExponentsThatMakeTheRateVanishAreRefused) {
  TrainConfig config = small();
  config.model.width = 128;
  config.model.heads = 4;
  config.optimizer.width_power = 1e6;
  EXPECT_NE(
      message([&] { resolve(config, some_data()); }).find("make it 0; see optimizer.width_power"),
      std::string::npos);
}

TEST(TrainConfig, TheRateFollowsTheBatchAndWithTheDefaultBatchNotTheTokens) {
  TrainConfig config = small();
  const int64_t T = config.model.sequence = 64;  // the default batch leaves 1,500 steps
  for (const int64_t tokens : {1'000'000, 4'000'000, 16'000'000}) {
    config.train.tokens = tokens;
    config.train.batch_tokens = 0;
    EXPECT_NEAR(resolve(config, some_data()).peak_rate, config.train.lr, 0.3 * config.train.lr)
        << "the default batch is rounded";
  }
  config.train.tokens = 2'000'000;
  const auto rate = [&](int64_t sequences) {
    config.train.batch_tokens = sequences * T;
    return resolve(config, some_data()).peak_rate / config.train.lr;
  };
  EXPECT_NEAR(rate(8), 1, 1e-3) << "tokens are whole steps";
  EXPECT_NEAR(rate(2), std::pow(0.25, config.optimizer.batch_power), 1e-3);
  EXPECT_NEAR(rate(16), std::pow(2, config.optimizer.batch_power), 1e-3);
  EXPECT_EQ(rate(30), 2) << "at most";
  config.train.tokens = 500'000;
  EXPECT_NEAR(rate(16), rate(8), 2e-3) << "a step counts as at most a thousandth of the run";
}

// What a sample of validation measures has changed; what all of it measures has not.
TEST(TrainConfig, ARunOnASampleOfValidationHasANewName) {
  TrainConfig config = small();
  EXPECT_EQ(resolve(config, some_data()).document()["version"], 1);
  config.train.validation_tokens = 499'999 / 256 * 256;
  EXPECT_EQ(resolve(config, some_data()).document()["version"], 1);
  config.train.validation_tokens -= 256;
  EXPECT_EQ(resolve(config, some_data()).document()["version"], 2);
}

TEST(TrainConfig, TheResolvedDocumentIsItsOwnResolution) {
  TrainConfig config = small();
  config.recipe.weights = "4";
  config.recipe.queries = "e4m3";
  config.recipe.kv_granularity = "token";
  config.recipe.activations = "6";
  config.recipe.activations_granularity = "group32";
  const ResolvedConfig once = resolve(config, some_data());
  const ResolvedConfig twice = resolve(once.config, some_data());
  EXPECT_EQ(dump_json(once.document()), dump_json(twice.document()));
  EXPECT_EQ(once.recipe, twice.recipe);
  EXPECT_EQ(once.config.recipe.activations_granularity, "group32");
  EXPECT_EQ(once.config.recipe.kv_granularity, "token") << "queries use it";
}

TEST(TrainConfig, HowARunIsCarriedOutIsNoPartOfIt) {
  const std::string document = dump_json(resolve(small(), some_data()).document());
  const Json run = to_json(RunOptions{});
  for (const auto& [key, value] : run.items()) {
    EXPECT_EQ(document.find('"' + key + '"'), std::string::npos) << key;
  }
}

TEST(TrainConfig, FilesAndOverridesFillItAndUnknownKeysNameTheNearest) {
  Json document = parse_toml("[model]\nwidth = 96\n[run]\nthreads = 2\n", "study.toml");
  for (const char* text :
       {"train.lr=1e-3", "train.tokens=8e6", "recipe.weights=4", "model.layers=3"}) {
    apply_override(document, text);
  }
  TrainRequest request;
  fill(request, document, "study.toml");
  EXPECT_EQ(request.config.model.width, 96);
  EXPECT_EQ(request.config.model.layers, 3);
  EXPECT_EQ(request.config.train.lr, 1e-3);
  EXPECT_EQ(request.config.train.tokens, 8'000'000);
  EXPECT_EQ(request.config.recipe.weights, "4");
  EXPECT_EQ(request.run.threads, 2);

  const std::string error = message([&] {
    apply_override(document, "train.token=5");
    fill(request, document, "study.toml");
  });
  EXPECT_NE(error.find("did you mean 'train.tokens'"), std::string::npos) << error;
}

TEST(TrainConfig, RefusesWhatCannotBeTrainedAndNamesTheKey) {
  struct Case {
    std::function<void(TrainConfig&)> change;
    const char* named;
  };
  for (const Case& c : std::vector<Case>{
           {[](TrainConfig& c) { c.train.batch_tokens = 8000; }, "train.batch_tokens"},
           {[](TrainConfig& c) { c.train.tokens = 0; }, "train.tokens"},
           {[](TrainConfig& c) { c.train.lr = -1; }, "train.lr"},
           {[](TrainConfig& c) { c.train.lanes = 0; }, "train.lanes"},
           {[](TrainConfig& c) { c.train.backward = "fp8"; }, "train.backward"},
           {[](TrainConfig& c) { c.schedule.kind = "cosin"; }, "schedule.kind"},
           {[](TrainConfig& c) { c.optimizer.beta2 = 1; }, "optimizer.beta2"},
           {[](TrainConfig& c) { c.model.heads = 3; }, "model.heads"},
           {[](TrainConfig& c) { c.recipe.weights = "1"; }, "weights"},
       }) {
    TrainConfig config = small();
    c.change(config);
    const std::string error = message([&] { resolve(config, some_data()); });
    EXPECT_NE(error.find(c.named), std::string::npos)
        << "'" << error << "' should name " << c.named;
  }
  RunOptions options;
  options.log_steps = 0;
  EXPECT_NE(message([&] { options.check(); }).find("run.log_steps"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
