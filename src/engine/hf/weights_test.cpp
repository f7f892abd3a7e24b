#include "hf/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.h"
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
  write_file_atomically(directory_ / "pytorch_model.bin", "x");
  expect_error("pickled");
  fs::remove(directory_ / "config.json");
  expect_error("there is no config.json");
}

}  // namespace
}  // namespace bitlaw::hf
