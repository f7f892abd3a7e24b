// Small checkpoints with random weights, in the layout of Hugging Face, written by a test.
#pragma once

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "hf/layout.h"

namespace bitlaw::hf {

struct FakeTensor {
  std::string dtype;  // "F32", "F16", "BF16", ... as in the file
  std::vector<int64_t> shape;
  std::string bytes;
};

inline std::string safetensors_bytes(const std::map<std::string, FakeTensor>& tensors,
                                     const std::map<std::string, std::string>& metadata = {}) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t at = 0;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
    data += tensor.bytes;
  }
  const std::string text = dump_json(header);
  const uint64_t length = text.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + text + data;
}

inline Json fake_config(const std::string& type, const Json& patch = Json::object()) {
  Json config{{"model_type", type},           {"hidden_size", 32},        {"intermediate_size", 48},
              {"num_hidden_layers", 2},       {"num_attention_heads", 4}, {"vocab_size", 61},
              {"max_position_embeddings", 64}};
  config.update(patch);
  return config;
}

struct FakeCheckpoint {
  Json config;
  std::map<std::string, FakeTensor> tensors;

  // Weights uniform with a standard deviation of 1/sqrt(in), norms near one, small biases; a pure
  // function of the seed.
  explicit FakeCheckpoint(const Json& document, uint64_t seed = 1) : config(document) {
    const Layout layout = layout_of(parse_architecture(config, "config"));
    uint32_t number = 0;
    for (const TensorSpec& spec : layout.tensors()) {
      int64_t count = 1;
      for (int64_t extent : spec.shape) count *= extent;
      std::vector<float> values(static_cast<size_t>(count));
      const bool matrix = spec.shape.size() == 2;
      const bool bias = spec.name.ends_with(".bias");
      const float spread = matrix ? 1.7f / std::sqrt(static_cast<float>(spec.shape[1])) : 0.2f;
      for (size_t i = 0; i < values.size(); ++i) {
        const auto draw = static_cast<float>(random_uniform(seed, number, i) * 2 - 1);
        values[i] = (matrix || bias ? 0.0f : 1.0f) + spread * draw;
      }
      ++number;
      tensors[spec.name] = {
          "F32",
          spec.shape,
          {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}};
    }
  }

  // Writes one file, or (shards > 1) tensors distributed over several files with an index.
  void write(const std::filesystem::path& directory, int shards = 1) const {
    write_file_atomically(directory / "config.json", dump_json(config, 1));
    if (shards == 1) {
      write_file_atomically(directory / "model.safetensors", safetensors_bytes(tensors));
      return;
    }
    std::vector<std::map<std::string, FakeTensor>> dealt(static_cast<size_t>(shards));
    Json index{{"metadata", Json::object()}, {"weight_map", Json::object()}};
    size_t next = 0;
    for (const auto& [name, tensor] : tensors) {
      const size_t shard = next++ % dealt.size();
      dealt[shard][name] = tensor;
      index["weight_map"][name] = shard_name(shard, shards);
    }
    for (size_t shard = 0; shard < dealt.size(); ++shard) {
      write_file_atomically(directory / shard_name(shard, shards), safetensors_bytes(dealt[shard]));
    }
    write_file_atomically(directory / "model.safetensors.index.json", dump_json(index, 1));
  }

  static std::string shard_name(size_t shard, int shards) {
    return "model-" + std::to_string(shard + 1) + "-of-" + std::to_string(shards) + ".safetensors";
  }
};

}  // namespace bitlaw::hf
