#include "hf/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "formats/half.h"
#include "hf/fake_checkpoint_for_tests.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

class HfWeights : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) /
                 (std::string("bitlaw_hf_weights_") +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  Weights open() const { return Weights(directory_, read_architecture(directory_)); }
  std::string error() const {
    try {
      ThreadPool pool(1);
      open().check_and_hash(pool);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  void expect_error(const std::string& expected) const {
    EXPECT_NE(error().find(expected), std::string::npos) << "got: " << error();
    EXPECT_NE(error().find(directory_.string()), std::string::npos) << "got: " << error();
  }

  fs::path directory_;
};

FakeTensor f32(const std::vector<int64_t>& shape, const std::vector<float>& values) {
  return {
      "F32", shape, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}};
}

TEST_F(HfWeights, EveryHalfAndEveryBFloat16BecomesItsFloat) {
  std::vector<uint16_t> codes(65536);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint16_t>(i);
  std::vector<float> halves(codes.size()), brains(codes.size());
  const auto* const bytes = reinterpret_cast<const char*>(codes.data());
  widen_to_f32("F16", bytes, 65536, halves.data());
  widen_to_f32("BF16", bytes, 65536, brains.data());
  for (int code = 0; code < 65536; ++code) {
    const double sign = code < 32768 ? 1 : -1;
    const auto value = [&](int exponent_bits, int fraction_bits, int bias) {
      const int exponent = code >> fraction_bits & ((1 << exponent_bits) - 1);
      const double fraction = std::ldexp(code & ((1 << fraction_bits) - 1), -fraction_bits);
      if (exponent == (1 << exponent_bits) - 1) {
        return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
      }
      return exponent == 0 ? sign * std::ldexp(fraction, 1 - bias)
                           : sign * std::ldexp(1 + fraction, exponent - bias);
    };
    const double half = value(5, 10, 15), brain = value(8, 7, 127);
    const float a = halves[static_cast<size_t>(code)], b = brains[static_cast<size_t>(code)];
    EXPECT_TRUE(a == half || (std::isnan(a) && std::isnan(half))) << code;
    EXPECT_TRUE(b == brain || (std::isnan(b) && std::isnan(brain))) << code;
    EXPECT_EQ(std::signbit(a), code >= 32768);
    EXPECT_EQ(std::signbit(b), code >= 32768);
  }
}

TEST_F(HfWeights, ShardsAreTheSameWeightsAsOneFile) {
  const FakeCheckpoint checkpoint(fake_config("qwen2"));
  ThreadPool pool(2);
  checkpoint.write(directory_ / "one");
  checkpoint.write(directory_ / "three", 3);
  const Architecture a = read_architecture(directory_ / "one");
  const Weights one(directory_ / "one", a), three(directory_ / "three", a);
  EXPECT_EQ(one.files().size(), 1u);
  EXPECT_EQ(three.files().size(), 3u);
  for (const TensorSpec& spec : one.layout().tensors()) {
    const Tensor x = one.tensor(spec), y = three.tensor(spec);
    ASSERT_EQ(x.bytes(), y.bytes());
    EXPECT_EQ(std::memcmp(x.raw(), y.raw(), x.bytes()), 0) << spec.name;
    EXPECT_EQ(std::memcmp(x.raw(), checkpoint.tensors.at(spec.name).bytes.data(), x.bytes()), 0);
  }
  EXPECT_EQ(one.check_and_hash(pool), three.check_and_hash(pool));
  const TensorSpec& up = one.layout().layers[1].matrices[5].weight;
  const Tensor rows = one.rows(up, 3, 7);
  EXPECT_EQ(rows.shape(), (Shape{4, 32}));
  EXPECT_EQ(std::memcmp(rows.raw(), one.tensor(up).rows(3, 7).raw(), rows.bytes()), 0);
}

TEST_F(HfWeights, TheHashIsOfEveryWeight) {
  ThreadPool pool(1);
  FakeCheckpoint checkpoint(fake_config("llama"));
  checkpoint.write(directory_);
  const std::string before = open().check_and_hash(pool);
  checkpoint.tensors["model.norm.weight"].bytes[5] ^= 1;
  checkpoint.write(directory_);
  EXPECT_NE(open().check_and_hash(pool), before);
}

TEST_F(HfWeights, WhatOlderWritersStoredBesideIsPassedOver) {
  FakeCheckpoint llama(fake_config("llama", {{"tie_word_embeddings", true}}));
  llama.tensors["model.layers.1.self_attn.rotary_emb.inv_freq"] = f32({4}, {1, 2, 3, 4});
  llama.tensors["lm_head.weight"] = llama.tensors["model.embed_tokens.weight"];
  llama.write(directory_);
  EXPECT_EQ(error(), "");
  llama.tensors["lm_head.weight"].bytes[2] ^= 1;  // a head that is not tied
  llama.write(directory_);
  expect_error("tie_word_embeddings");

  FakeCheckpoint neox(fake_config("gpt_neox", {{"rotary_pct", 0.5}}));
  neox.tensors["gpt_neox.layers.0.attention.bias"] = {"BOOL", {1, 1, 2, 2}, "\1\0\1\1"};
  neox.tensors["gpt_neox.layers.0.attention.bias"].bytes.resize(4, '\1');
  neox.tensors["gpt_neox.layers.0.attention.masked_bias"] = f32({}, {-1e9f});
  neox.write(directory_);
  EXPECT_EQ(error(), "");
  // The head's newer name.
  neox.tensors["lm_head.weight"] = neox.tensors.extract("embed_out.weight").mapped();
  neox.write(directory_);
  EXPECT_EQ(error(), "");
}

// Every way to call the same tensors gives the same weights and the same hash.
TEST_F(HfWeights, NamesOfOtherProgramsAreTheSameCheckpoint) {
  ThreadPool pool(1);
  for (const char* type : {"llama", "gpt_neox"}) {
    const FakeCheckpoint plain(fake_config(type));
    plain.write(directory_);
    const std::string hash = open().check_and_hash(pool);
    const std::string model = std::string(type) == "llama" ? "model." : "gpt_neox.";
    const auto renamed = [&](const auto& rename) {
      FakeCheckpoint other = plain;
      other.tensors.clear();
      for (const auto& [name, tensor] : plain.tensors) other.tensors[rename(name)] = tensor;
      other.write(directory_);
      EXPECT_EQ(error(), "");
      EXPECT_EQ(open().check_and_hash(pool), hash);
    };
    renamed([&](const std::string& name) { return "module." + name; });
    renamed([&](const std::string& name) { return "_orig_mod." + name; });
    renamed([&](const std::string& name) { return "base_model.model." + name; });
    renamed([&](const std::string& name) {
      return name.starts_with(model) ? name.substr(model.size()) : name;
    });
    renamed([&](const std::string& name) {
      return name.starts_with(model) ? "transformer." + name.substr(model.size()) : name;
    });
  }
}

TEST_F(HfWeights, ATiedMatrixStoredOnceUnderEitherNameIsRead) {
  ThreadPool pool(1);
  FakeCheckpoint tied(fake_config("llama", {{"tie_word_embeddings", true}}));
  tied.write(directory_);
  const std::string hash = open().check_and_hash(pool);
  const std::string embedding = "model.embed_tokens.weight", head = "lm_head.weight";
  auto tensors = tied.tensors;
  tensors[head] = tensors.extract(embedding).mapped();
  for (const std::map<std::string, std::string>& metadata :
       {std::map<std::string, std::string>{{embedding, head}, {"format", "pt"}}, {}}) {
    write_file_atomically(directory_ / "model.safetensors", safetensors_bytes(tensors, metadata));
    EXPECT_EQ(error(), "");
    EXPECT_EQ(open().check_and_hash(pool), hash);
  }
  // Two matrices by config.json, one by an alias.
  FakeCheckpoint untied(fake_config("llama"));
  untied.tensors.erase(head);
  untied.write(directory_);
  expect_error("tensor 'lm_head.weight' is missing, and config.json does not say");
  expect_error("\"tie_word_embeddings\": true");
  write_file_atomically(directory_ / "model.safetensors",
                        safetensors_bytes(untied.tensors, {{head, embedding}}));
  EXPECT_EQ(error(), "");
  const Weights weights = open();
  const Tensor one = weights.tensor(weights.layout().embedding),
               two = weights.tensor(weights.layout().head);
  EXPECT_EQ(std::memcmp(one.raw(), two.raw(), one.bytes()), 0);
}

std::string as_bf16(const std::string& f32_bytes, bool back_to_f32) {
  std::string out;
  for (size_t i = 0; i < f32_bytes.size(); i += 4) {
    float value;
    std::memcpy(&value, f32_bytes.data() + i, 4);
    const uint16_t bits = bf16_bits(value);
    const float rounded = bf16_value(bits);
    if (back_to_f32)
      out.append(reinterpret_cast<const char*>(&rounded), 4);
    else
      out.append(reinterpret_cast<const char*>(&bits), 2);
  }
  return out;
}

TEST_F(HfWeights, AHeadWithTheValuesOfTheEmbeddingIsPassedOverInAnyType) {
  FakeCheckpoint tied(fake_config("llama", {{"tie_word_embeddings", true}}));
  const FakeTensor full = tied.tensors.at("model.embed_tokens.weight");
  const FakeTensor half{"BF16", full.shape, as_bf16(full.bytes, false)};
  const FakeTensor widened{"F32", full.shape, as_bf16(full.bytes, true)};
  for (const auto& [embedding, head] : {std::pair{half, widened}, std::pair{widened, half},
                                        std::pair{full, half}, std::pair{half, full}}) {
    tied.tensors["model.embed_tokens.weight"] = embedding;
    tied.tensors["lm_head.weight"] = head;
    tied.write(directory_);
    EXPECT_EQ(error(), "");
  }
  tied.tensors["lm_head.weight"] = widened;
  tied.tensors["lm_head.weight"].bytes[3] ^= 0x40;
  tied.write(directory_);
  expect_error("not the embedding, although tie_word_embeddings");
}

TEST_F(HfWeights, ATensorStoredTwiceMustAgree) {
  FakeCheckpoint twice(fake_config("llama"));
  twice.tensors["norm.weight"] = twice.tensors.at("model.norm.weight");
  twice.tensors["model.rotary_emb.inv_freq"] = f32({4}, {1, 2, 3, 4});
  twice.write(directory_);
  EXPECT_EQ(error(), "");
  twice.tensors["norm.weight"].bytes[2] ^= 1;
  twice.write(directory_);
  expect_error("'norm.weight' is stored twice, with other values");
}

TEST_F(HfWeights, OtherFilesThanTheUsualOnesAreFound) {
  ThreadPool pool(1);
  const FakeCheckpoint good(fake_config("qwen2"));
  good.write(directory_);
  const std::string hash = open().check_and_hash(pool);
  const fs::path single = directory_ / "model.safetensors";
  for (const char* name : {"model-00001-of-00001.safetensors", "pytorch_model.safetensors"}) {
    fs::rename(single, directory_ / name);
    EXPECT_EQ(error(), "") << name;
    EXPECT_EQ(open().check_and_hash(pool), hash);
    fs::rename(directory_ / name, single);
  }
  // One file beside the index of an older save, or of itself.
  const fs::path old_index = directory_ / "model.safetensors.index.json";
  for (const char* shard : {"model-00001-of-00004.safetensors", "model.safetensors"}) {
    write_file_atomically(
        old_index, std::string(R"({"weight_map": {"model.norm.weight": ")") + shard + "\"}}");
    EXPECT_EQ(open().check_and_hash(pool), hash) << shard;
  }
  fs::remove(old_index);
  // Counted from 0.
  fs::rename(single, directory_ / "model-00000-of-00001.safetensors");
  EXPECT_EQ(open().check_and_hash(pool), hash);
  fs::remove(directory_ / "model-00000-of-00001.safetensors");
  good.write(directory_);
  // Shards without an index, and with the index of an older save.
  fs::remove(single);
  good.write(directory_, 3);
  const fs::path index = directory_ / "model.safetensors.index.json";
  fs::remove(index);
  EXPECT_EQ(open().check_and_hash(pool), hash);
  write_file_atomically(
      index, R"({"weight_map": {"model.norm.weight": "model-00001-of-00004.safetensors"}})");
  EXPECT_EQ(open().check_and_hash(pool), hash);
  fs::remove(index);
  fs::remove(directory_ / FakeCheckpoint::shard_name(1, 3));
  expect_error("shard 2 of 3 is missing; fetch the whole checkpoint again");
  fs::copy_file(directory_ / FakeCheckpoint::shard_name(0, 3),
                directory_ / FakeCheckpoint::shard_name(1, 3));
  expect_error("the files do not belong together");
}

TEST_F(HfWeights, FilesThatAreSomethingElseAreNamed) {
  const FakeCheckpoint good(fake_config("llama"));
  good.write(directory_);
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 134515008\n";
  write_file_atomically(directory_ / "model.safetensors", pointer);
  expect_error("model.safetensors: is a git-lfs pointer");
  write_file_atomically(directory_ / "config.json", pointer);
  expect_error("config.json: not valid JSON: it is a git-lfs pointer");
  good.write(directory_);
  write_file_atomically(directory_ / "model.safetensors", std::string("PK\x03\x04") + "rest");
  expect_error("is a zip file, as torch.save writes it");

  FakeCheckpoint mlx = good;
  const std::string up = "model.layers.0.mlp.up_proj.";
  mlx.tensors[up + "weight"] = {"U32", {48, 4}, std::string(48 * 4 * 4, '\1')};
  mlx.write(directory_);
  expect_error("already quantized (MLX)");
  FakeCheckpoint adapter = good;
  adapter.tensors[up + "lora_A.weight"] = f32({1}, {1});
  adapter.write(directory_);
  expect_error("is of an adapter (LoRA)");
  fs::remove(directory_ / "model.safetensors");
  write_file_atomically(directory_ / "adapter_config.json", "{}");
  write_file_atomically(directory_ / "adapter_model.safetensors", "x");
  expect_error("is an adapter (LoRA), not a whole model");

  FakeCheckpoint foreign = good;
  foreign.tensors.clear();
  foreign.tensors["h.0.attn.c_attn.weight"] = f32({1}, {1});
  fs::remove(directory_ / "adapter_config.json");
  foreign.write(directory_);
  expect_error("one is 'h.0.attn.c_attn.weight'");
}

TEST_F(HfWeights, TensorsThatDoNotFitAreNamed) {
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  const FakeCheckpoint good(fake_config("llama"));
  FakeCheckpoint bad = good;
  bad.tensors.erase(name);
  bad.write(directory_);
  expect_error("tensor '" + name + "' of a llama model with 2 layers is missing");

  bad = good;
  bad.tensors["model.layers.2.mlp.up_proj.weight"] = good.tensors.at(name);
  bad.write(directory_);
  expect_error("tensor 'model.layers.2.mlp.up_proj.weight' is not part of the llama model");

  expect_error("it is of layer 3, and num_hidden_layers there is 2");

  bad = good;
  bad.tensors["model.layers.0.self_attn.q_proj.bias"] = f32({32}, std::vector<float>(32, 1));
  bad.write(directory_);
  expect_error("if the model has biases, set \"attention_bias\": true there");

  bad = good;
  bad.tensors[name].shape = {32, 48};
  bad.write(directory_);
  expect_error("'" + name + "' has shape [32, 48], but config.json requires [48, 32]");

  bad = good;
  bad.tensors[name] = {"I32", {48, 32}, good.tensors.at(name).bytes};
  bad.write(directory_);
  expect_error("'" + name + "' is I32; bitlaw reads weights in F32, F16 and BF16");

  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    bad = good;
    std::memcpy(&bad.tensors[name].bytes[400], &value, 4);
    bad.write(directory_);
    expect_error("'" + name + "' has weights that are NaN or infinite");
    EXPECT_THROW(open().tensor({name, {48, 32}}), Error);
  }
}

TEST_F(HfWeights, AnIndexThatLiesIsRefused) {
  const FakeCheckpoint good(fake_config("llama"));
  const fs::path index = directory_ / "model.safetensors.index.json";
  const std::string norm = "model.norm.weight";
  const auto rewritten = [&](const auto& change) {
    fs::remove_all(directory_);
    good.write(directory_, 3);
    Json document = parse_json(read_file(index), "index");
    change(document["weight_map"]);
    write_file_atomically(index, dump_json(document));
  };
  rewritten([&](Json& map) { map[norm] = "model-4-of-3.safetensors"; });
  expect_error("the shard model-4-of-3.safetensors is missing");
  for (const char* path : {"../model-1-of-3.safetensors", "/etc/passwd", "..", ""}) {
    rewritten([&](Json& map) { map[norm] = path; });
    expect_error("the shard of tensor 'model.norm.weight' is not the name of a file");
  }
  rewritten([&](Json& map) { map.erase(norm); });
  expect_error("contains tensor 'model.norm.weight', which the index does not list");
  rewritten([&](Json& map) { map["model.extra"] = FakeCheckpoint::shard_name(0, 3); });
  expect_error("tensor 'model.extra' is not in model-1-of-3.safetensors");
  rewritten([&](Json& map) {
    const std::string own = map[norm];
    map[norm] = FakeCheckpoint::shard_name(own == FakeCheckpoint::shard_name(0, 3) ? 1 : 0, 3);
  });
  expect_error("which the index places in");
  rewritten([&](Json& map) { map = "none"; });
  expect_error("has no weight_map");

  fs::remove_all(directory_);
  good.write(directory_, 3);
  fs::resize_file(directory_ / FakeCheckpoint::shard_name(1, 3), 3000);
  expect_error("model-2-of-3.safetensors");
}

TEST_F(HfWeights, ADirectoryWithoutWeightsSaysWhatIsThere) {
  write_file_atomically(directory_ / "config.json", dump_json(fake_config("llama")));
  expect_error("the checkpoint is incomplete");
  write_file_atomically(directory_ / "model.gguf", "GGUF");
  expect_error("has weights in other files only (model.gguf)");
  write_file_atomically(directory_ / "pytorch_model.bin", "x");
  expect_error("pickled");
  write_file_atomically(directory_ / "a.safetensors", "x");
  write_file_atomically(directory_ / "b.safetensors", "x");
  expect_error("has a.safetensors, b.safetensors, and nothing says which is the model");
  fs::remove(directory_ / "config.json");
  expect_error("there is no config.json");
}

}  // namespace
}  // namespace bitlaw::hf
