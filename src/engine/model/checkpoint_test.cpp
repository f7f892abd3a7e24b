#include "model/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/source_folder.h"
#include "model/safetensors.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Checkpoint : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    // Each engine's repeat of these tests may run at the same time.
    directory_ = fs::path(testing::TempDir()) /
                 fmt::format("bitlaw_checkpoint_{}_{}", test.name(), ::getpid());
    fs::remove_all(directory_);
    config_ = {.width = 24,
               .layers = 2,
               .heads = 4,
               .kv_heads = 2,
               .hidden = 40,
               .vocabulary = 50,
               .sequence = 9};
    config_.rope_theta = 12345.678901234567;
    config_.norm_epsilon = 1.0 / 3e5;
    config_ = config_.resolved();
  }
  void TearDown() override { fs::remove_all(directory_); }

  Parameters parameters_of(const Model& model) const {
    Parameters parameters = model.make_parameters();
    model.initialize(parameters, 3);
    for (const Tensor& tensor : parameters.tensors) {  // norms that can be distinguished
      if (tensor.shape().rank() != 1) continue;
      for (int64_t i = 0; i < tensor.elements(); ++i) {
        tensor.set(i, 1 + 0.001 * static_cast<double>(i) +
                          0.1 * static_cast<double>(&tensor - parameters.tensors.data()));
      }
    }
    return parameters;
  }
  void save() const {
    const Model model(config_, Recipe{});
    save_model(directory_, model, parameters_of(model), {.begin = 1, .end = 2});
  }
  // Rewrites one key of config.json; null removes it.
  void set_config(const std::string& key, const Json& value) const {
    Json document = parse_json(read_file(directory_ / "config.json"), "config.json");
    document[key] = value;
    if (value.is_null()) document.erase(key);
    write_file_atomically(directory_ / "config.json", dump_json(document));
  }
  std::string load_error() const {
    try {
      load_model(directory_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path directory_;
  ModelConfig config_;
};

TEST_F(Checkpoint, RoundTripIsExact) {
  for (bool tied : {false, true}) {
    for (bool extra : {false, true}) {
      config_.tied_head = tied;
      config_.extra_norm = extra;
      const Model model(config_, Recipe{});
      const Parameters parameters = parameters_of(model);
      save_model(directory_, model, parameters);
      const LoadedModel loaded = load_model(directory_);
      EXPECT_EQ(to_json(loaded.config), to_json(config_));
      ASSERT_TRUE(loaded.parameters.flat.shape() == parameters.flat.shape());
      EXPECT_EQ(
          std::memcmp(loaded.parameters.flat.raw(), parameters.flat.raw(), parameters.flat.bytes()),
          0);
    }
  }
}

// tests/golden/hf_llama was written by transformers (tools/check_hf_export.py).
const fs::path kTransformersModel = fs::path(kSourceFolder) / "tests/golden/hf_llama";

TEST_F(Checkpoint, ComputesWhatTransformersComputes) {
  const LoadedModel loaded = load_model(kTransformersModel);
  Model model(loaded.config,
              make_recipe({.weights = "32", .activations = "32", .kv = "32", .queries = "32"}));
  Context context;
  context.backend = &kReferenceBackend;
  model.prepare(context, loaded.parameters, false);
  const Json document = parse_json(read_file(kTransformersModel / "losses.json"), "losses.json");
  const std::vector<uint16_t> tokens = document["tokens"];
  const std::span<const uint16_t> all(tokens);
  const ActivationsPtr activations = make_activations(model, false);
  Tensor losses = Tensor::zeros(DType::kF32, {loaded.config.sequence});
  model.forward(context, loaded.parameters, all.first(all.size() - 1), all.subspan(1), *activations,
                losses);
  for (int64_t t = 0; t < losses.elements(); ++t) {
    // Both store floats: some ten roundings by 2^-24 at each of five norms and two layers, and
    // logits up to 7.
    EXPECT_NEAR(losses.at(t), document["losses"][static_cast<size_t>(t)].get<double>(),
                10 * 7 * 7 * 0x1p-24);
  }
}

TEST_F(Checkpoint, GivesBackTheTensorsThatTransformersWrote) {
  const LoadedModel loaded = load_model(kTransformersModel);
  save_model(directory_, Model(loaded.config, Recipe{}), loaded.parameters);
  const SafetensorsFile theirs(kTransformersModel / "model.safetensors"),
      ours(directory_ / "model.safetensors");
  ASSERT_EQ(ours.entries().size(), theirs.entries().size());
  for (const auto& [name, entry] : theirs.entries()) {
    ASSERT_TRUE(ours.contains(name)) << name;
    EXPECT_EQ(ours.entries().at(name).shape, entry.shape) << name;
    EXPECT_EQ(ours.entries().at(name).dtype, entry.dtype) << name;
    EXPECT_EQ(ours.bytes(name), theirs.bytes(name)) << name;
  }
}

TEST_F(Checkpoint, SplitsFusedMatricesByRows) {
  save();
  const Model model(config_, Recipe{});
  const Parameters parameters = parameters_of(model);
  const SafetensorsFile file(directory_ / "model.safetensors");
  const std::string attention = "model.layers.1.self_attn.", mlp = "model.layers.1.mlp.";
  auto expect_rows = [&](const std::string& name, int index, int64_t begin, int64_t end) {
    const Tensor expected = parameters.tensors[index].rows(begin, end), tensor = file.tensor(name);
    ASSERT_TRUE(tensor.shape() == expected.shape()) << name;
    EXPECT_EQ(std::memcmp(tensor.raw(), expected.raw(), expected.bytes()), 0) << name;
  };
  const LayerIndex& layer = model.layer(1);
  expect_rows(attention + "q_proj.weight", layer.qkv, 0, 24);
  expect_rows(attention + "k_proj.weight", layer.qkv, 24, 36);
  expect_rows(attention + "v_proj.weight", layer.qkv, 36, 48);
  expect_rows(mlp + "gate_proj.weight", layer.gate_up, 0, 40);
  expect_rows(mlp + "up_proj.weight", layer.gate_up, 40, 80);
  EXPECT_EQ(file.entries().size(), 1u + 2 * 9 + 2);
}

TEST_F(Checkpoint, ConfigIsALlamas) {
  save();
  const Json document = parse_json(read_file(directory_ / "config.json"), "config.json");
  EXPECT_EQ(document["architectures"], Json::array({"LlamaForCausalLM"}));
  EXPECT_EQ(document["model_type"], "llama");
  EXPECT_EQ(document["num_key_value_heads"], 2);
  EXPECT_EQ(document["bos_token_id"], 1);
  EXPECT_EQ(document["eos_token_id"], 2);
  EXPECT_EQ(document["torch_dtype"], "float32");
}

// transformers would load a model with extra norms and leave them out; it must not try.
TEST_F(Checkpoint, ExtraNormIsNotCalledALlama) {
  config_.extra_norm = true;
  save();
  const Json document = parse_json(read_file(directory_ / "config.json"), "config.json");
  EXPECT_EQ(document["model_type"], "bitlaw");
}

TEST_F(Checkpoint, TakesBf16AndTheRopeTableOfNewerWriters) {
  save();
  const SafetensorsFile file(directory_ / "model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const auto& [name, entry] : file.entries()) {
    const Tensor wide = file.tensor(name), narrow = Tensor::empty(DType::kBF16, wide.shape());
    for (int64_t i = 0; i < wide.elements(); ++i) narrow.set(i, wide.at(i));
    tensors.push_back({name, narrow});
  }
  write_safetensors(directory_ / "model.safetensors", tensors);
  set_config("rope_theta", Json());
  set_config("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 500000.0}});
  const LoadedModel loaded = load_model(directory_);
  EXPECT_EQ(loaded.config.rope_theta, 500000.0);
  const Tensor& embedding = loaded.parameters.tensors[Model(loaded.config, Recipe{}).embedding()];
  for (const NamedTensor& tensor : tensors) {
    if (tensor.name != "model.embed_tokens.weight") continue;
    for (int64_t i = 0; i < embedding.elements(); ++i)
      ASSERT_EQ(embedding.at(i), tensor.tensor.at(i));
  }
}

TEST_F(Checkpoint, ConfigErrorsNameFileAndKey) {
  struct Case {
    const char* key;
    Json value;
    const char* says;
  };
  const Case cases[] = {
      {"hidden_size", Json(), "hidden_size is missing"},
      {"hidden_size", "big", "hidden_size must be a whole number, not \"big\""},
      {"hidden_size", 25, "model.heads"},
      {"num_hidden_layers", -1, "model.layers"},
      {"num_hidden_layers", 3, "tensor 'model.layers.2"},
      {"num_hidden_layers", 1, "is not part of the model"},
      {"intermediate_size", 48, "requires [48, 24]"},
      {"vocab_size", 0, "zero"},
      {"vocab_size", 51, "has shape [50, 24], but config.json requires [51, 24]"},
      {"num_key_value_heads", 4, "requires [24, 24]"},
      {"tie_word_embeddings", "no", "tie_word_embeddings must be true or false, not \"no\""},
      {"model_type", "gpt2", "model_type 'gpt2'"},
      {"hidden_act", "gelu", "hidden_act"},
      {"attention_bias", true, "biases"},
      {"head_dim", 8, "head_dim"},
      {"rope_scaling", {{"type", "linear"}}, "rope_scaling"},
      {"rope_parameters", {{"rope_type", "yarn"}, {"rope_theta", 1e4}}, "rope_parameters"},
      {"rms_norm_eps", -1.0, "model.norm_epsilon"},
  };
  for (const Case& c : cases) {
    save();
    set_config(c.key, c.value);
    const std::string message = load_error();
    EXPECT_NE(message.find(c.says), std::string::npos) << c.key << " | " << message;
    EXPECT_EQ(message.rfind(directory_.string(), 0), 0u) << message;
  }
}

TEST_F(Checkpoint, MissingFilesAreErrors) {
  EXPECT_NE(load_error().find("config.json"), std::string::npos);
  save();
  fs::remove(directory_ / "model.safetensors");
  EXPECT_NE(load_error().find("model.safetensors"), std::string::npos);
  save();
  fs::resize_file(directory_ / "model.safetensors",
                  fs::file_size(directory_ / "model.safetensors") - 1);
  EXPECT_NE(load_error().find("model.safetensors"), std::string::npos);
  write_file_atomically(directory_ / "config.json", "{");
  EXPECT_NE(load_error().find("config.json"), std::string::npos);
}

TEST_F(Checkpoint, OtherTypesAreErrors) {
  save();
  const SafetensorsFile file(directory_ / "model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const auto& [name, entry] : file.entries()) {
    const Tensor single = file.tensor(name);
    const Tensor tensor =
        Tensor::zeros(name == "model.norm.weight" ? DType::kF64 : DType::kF32, single.shape());
    tensors.push_back({name, tensor});
  }
  write_safetensors(directory_ / "model.safetensors", tensors);
  EXPECT_NE(load_error().find("'model.norm.weight' is F64"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
