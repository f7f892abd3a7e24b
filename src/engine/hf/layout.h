// The tensors of a checkpoint of an architecture: their names and shapes in the file, and their
// role in the forward pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hf/config.h"

namespace bitlaw::hf {

struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;  // as in the file
};

// The inputs of a layer's matrices, in order of use. Matrices with the same input share its
// calibration statistics.
enum class Input {
  kAttention,    // [T, d] queries, keys and values
  kOutput,       // [T, H head_dim] the attention's output matrix
  kFeedForward,  // [T, d] gate and up
  kDown,         // [T, F] down
};
inline constexpr int kInputs = 4;
int64_t width_of(const Architecture& architecture, Input input);

enum class Part { kQuery, kKey, kValue, kQueryKeyValue, kOutput, kGate, kUp, kDown };

// One matrix of a layer: y = x W^T + b.
struct MatrixSpec {
  Part part;
  Input input;
  std::string role;   // the last part of its name: "q_proj", "dense_h_to_4h"
  TensorSpec weight;  // [out, in]
  TensorSpec bias;    // [out]; an empty name if there is none
};

// A norm over `shape[0]` entries.
struct NormSpec {
  TensorSpec weight;  // an empty name if there is no such norm
  TensorSpec bias;    // an empty name if there is none
};

struct LayerSpec {
  std::vector<MatrixSpec> matrices;   // in order of use
  NormSpec attention_norm, ffn_norm;  // before or after, Architecture::norm_after
  NormSpec query_norm, key_norm;      // with Architecture::qk_norm
};

struct Layout {
  TensorSpec embedding;  // [V, d]
  std::vector<LayerSpec> layers;
  NormSpec final_norm;
  TensorSpec head;  // [V, d]; an empty name with a tied head

  std::vector<TensorSpec> tensors() const;  // all of them, each once
  int64_t layer_parameters() const;         // N: of the layers, without embedding, final norm, head
  int64_t matrix_parameters() const;        // of the layers' matrices only
};

Layout layout_of(const Architecture& architecture);

// The names that the output head may have in a file. Even with a tied head, a file may have a copy
// of the embedding there.
std::vector<std::string> head_names(Family family);

}  // namespace bitlaw::hf
