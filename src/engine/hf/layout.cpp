#include "hf/layout.h"

#include <fmt/format.h>

#include "base/error.h"

namespace bitlaw::hf {
namespace {

// Names inside a layer; those of a family that has no such tensor are empty.
struct Names {
  const char* layer;  // with {} for the layer's number
  const char *attention_norm, *ffn_norm;
  const char* attention;
  const char *query, *key, *value, *output;
  const char* ffn;
  const char *gate, *up, *down;
  const char *embedding, *final_norm;
};
constexpr Names kLlamaNames{
    .layer = "model.layers.{}.",
    .attention_norm = "input_layernorm",
    .ffn_norm = "post_attention_layernorm",
    .attention = "self_attn.",
    .query = "q_proj",
    .key = "k_proj",
    .value = "v_proj",
    .output = "o_proj",
    .ffn = "mlp.",
    .gate = "gate_proj",
    .up = "up_proj",
    .down = "down_proj",
    .embedding = "model.embed_tokens.weight",
    .final_norm = "model.norm",
};
constexpr Names olmo2_names() {
  Names names = kLlamaNames;
  names.attention_norm = "post_attention_layernorm";
  names.ffn_norm = "post_feedforward_layernorm";
  return names;
}
constexpr Names kNeoxNames{
    .layer = "gpt_neox.layers.{}.",
    .attention_norm = "input_layernorm",
    .ffn_norm = "post_attention_layernorm",
    .attention = "attention.",
    .query = "query_key_value",
    .key = "",
    .value = "",
    .output = "dense",
    .ffn = "mlp.",
    .gate = "",
    .up = "dense_h_to_4h",
    .down = "dense_4h_to_h",
    .embedding = "gpt_neox.embed_in.weight",
    .final_norm = "gpt_neox.final_layer_norm",
};

Names names_of(Family family) {
  if (family == Family::kGptNeox) return kNeoxNames;
  return family == Family::kOlmo2 ? olmo2_names() : kLlamaNames;
}

NormSpec norm_spec(const std::string& name, int64_t width, Norm kind) {
  NormSpec spec{{name + ".weight", {width}}, {}};
  if (kind == Norm::kLayer) spec.bias = {name + ".bias", {width}};
  return spec;
}

LayerSpec layer_spec(const Architecture& a, const Names& names, const std::string& prefix) {
  LayerSpec spec;
  const auto matrix = [&](Part part, Input input, const char* folder, const char* role,
                          int64_t rows, bool biased) {
    const std::string name = prefix + folder + role;
    const int64_t columns = width_of(a, input);
    spec.matrices.push_back({part, input, role, {name + ".weight", {rows, columns}}, {}});
    if (biased) spec.matrices.back().bias = {name + ".bias", {rows}};
  };
  const int64_t queries = a.heads * a.head_dim, keys = a.kv_heads * a.head_dim;
  if (a.fused_qkv) {
    matrix(Part::kQueryKeyValue, Input::kAttention, names.attention, names.query,
           queries + 2 * keys, a.qkv_bias);
  } else {
    matrix(Part::kQuery, Input::kAttention, names.attention, names.query, queries, a.qkv_bias);
    matrix(Part::kKey, Input::kAttention, names.attention, names.key, keys, a.qkv_bias);
    matrix(Part::kValue, Input::kAttention, names.attention, names.value, keys, a.qkv_bias);
  }
  matrix(Part::kOutput, Input::kOutput, names.attention, names.output, a.width, a.output_bias);
  if (a.gated)
    matrix(Part::kGate, Input::kFeedForward, names.ffn, names.gate, a.hidden, a.ffn_bias);
  matrix(Part::kUp, Input::kFeedForward, names.ffn, names.up, a.hidden, a.ffn_bias);
  matrix(Part::kDown, Input::kDown, names.ffn, names.down, a.width, a.ffn_bias);

  spec.attention_norm = norm_spec(prefix + names.attention_norm, a.width, a.norm);
  spec.ffn_norm = norm_spec(prefix + names.ffn_norm, a.width, a.norm);
  if (a.qk_norm) {
    spec.query_norm = norm_spec(prefix + names.attention + "q_norm", queries, Norm::kRms);
    spec.key_norm = norm_spec(prefix + names.attention + "k_norm", keys, Norm::kRms);
  }
  return spec;
}

void add(std::vector<TensorSpec>& all, const TensorSpec& tensor) {
  if (!tensor.name.empty()) all.push_back(tensor);
}

std::vector<TensorSpec> tensors_of(const LayerSpec& layer) {
  std::vector<TensorSpec> all;
  for (const MatrixSpec& matrix : layer.matrices) {
    add(all, matrix.weight);
    add(all, matrix.bias);
  }
  for (const NormSpec* norm :
       {&layer.attention_norm, &layer.ffn_norm, &layer.query_norm, &layer.key_norm}) {
    add(all, norm->weight);
    add(all, norm->bias);
  }
  return all;
}

int64_t elements(const TensorSpec& tensor) {
  int64_t product = tensor.name.empty() ? 0 : 1;
  for (int64_t extent : tensor.shape) product *= extent;
  return product;
}

}  // namespace

int64_t width_of(const Architecture& a, Input input) {
  if (input == Input::kOutput) return a.heads * a.head_dim;
  return input == Input::kDown ? a.hidden : a.width;
}

std::vector<TensorSpec> Layout::tensors() const {
  std::vector<TensorSpec> all;
  add(all, embedding);
  for (const LayerSpec& layer : layers) {
    for (const TensorSpec& tensor : tensors_of(layer)) all.push_back(tensor);
  }
  add(all, final_norm.weight);
  add(all, final_norm.bias);
  add(all, head);
  return all;
}

int64_t Layout::layer_parameters() const {
  int64_t sum = 0;
  for (const LayerSpec& layer : layers) {
    for (const TensorSpec& tensor : tensors_of(layer)) sum += elements(tensor);
  }
  return sum;
}

int64_t Layout::matrix_parameters() const {
  int64_t sum = 0;
  for (const LayerSpec& layer : layers) {
    for (const MatrixSpec& matrix : layer.matrices) sum += elements(matrix.weight);
  }
  return sum;
}

Layout layout_of(const Architecture& a) {
  const Names names = names_of(a.family);
  Layout layout;
  layout.embedding = {names.embedding, {a.vocabulary, a.width}};
  for (int64_t l = 0; l < a.layers; ++l) {
    layout.layers.push_back(layer_spec(a, names, fmt::format(fmt::runtime(names.layer), l)));
  }
  layout.final_norm = norm_spec(names.final_norm, a.width, a.norm);
  if (!a.tied_head) layout.head = {head_names(a.family).front(), {a.vocabulary, a.width}};
  return layout;
}

std::vector<std::string> head_names(Family family) {
  if (family == Family::kGptNeox) return {"embed_out.weight", "lm_head.weight"};
  return {"lm_head.weight"};
}

}  // namespace bitlaw::hf
