// The architecture in the config.json of a Hugging Face checkpoint, for the families whose public
// checkpoints are used for scaling laws: Llama, Mistral, Qwen2, OLMo-2 and GPT-NeoX (Pythia).
//
// Every setting is either followed or refused by name: ignoring one would give the losses of
// another model. A missing setting has transformers' default for that family.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitlaw::hf {

enum class Family { kLlama, kMistral, kQwen2, kOlmo2, kGptNeox };
const char* name_of(Family family);  // as transformers' model_type: "llama", "gpt_neox"

enum class Activation {
  kSilu,      // z / (1 + exp(-z))
  kGelu,      // z (1 + erf(z / sqrt 2)) / 2
  kGeluTanh,  // z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2
};

enum class Norm {
  kRms,    // x / sqrt(mean(x^2) + epsilon) * weight
  kLayer,  // (x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias
};

// How the rotary frequencies of a longer context follow from those of a shorter one (rotary.h).
enum class RotaryScaling { kNone, kLinear, kDynamic, kLlama3, kYarn };

struct Rotary {
  int64_t dim = 0;       // number of leading entries of a head that are rotated; even
  double theta = 10000;  // base of the frequencies, above 1
  RotaryScaling scaling = RotaryScaling::kNone;
  double factor = 1;             // all scalings: ratio of the longer context to the shorter, >= 1
  int64_t original_context = 0;  // dynamic, llama3, yarn: tokens of the shorter context
  // llama3: a frequency that turns at most `low_frequency` times within the shorter context is
  // divided by the factor; one that turns at least `high_frequency` times (> low_frequency) is
  // kept.
  double low_frequency = 1;
  double high_frequency = 4;
  // yarn: the same with beta_slow and beta_fast.
  double beta_fast = 32;
  double beta_slow = 1;
  bool truncate = true;         // yarn: the bounds between are whole indices of frequencies
  double attention_factor = 1;  // yarn: times cosines and sines
};

struct Architecture {
  Family family = Family::kLlama;
  int64_t width = 0;       // d, of the residual stream
  int64_t layers = 0;      // L
  int64_t heads = 0;       // H, of queries
  int64_t kv_heads = 0;    // G, of keys and values; divides H
  int64_t head_dim = 0;    // entries of a head; H head_dim need not be d
  int64_t hidden = 0;      // F, of the feed-forward layer
  int64_t vocabulary = 0;  // V
  int64_t context = 0;     // tokens that the model was made for
  bool tied_head = false;  // the output head is the embedding table

  Norm norm = Norm::kRms;
  double norm_epsilon = 1e-6;
  bool norm_after = false;   // norms come after attention and feed-forward instead of before them,
                             // and before the sums (OLMo-2)
  bool qk_norm = false;      // RMS norms over all queries and over all keys of a token, before the
                             // rotation (OLMo-2)
  bool parallel = false;     // attention and feed-forward read the same residual stream (GPT-NeoX)
  bool gated = true;         // feed-forward down(act(gate x) * up x); otherwise down(act(up x))
  bool fused_qkv = false;    // one matrix whose rows are query, key, value of head after head
  bool qkv_bias = false;     // biases of queries, keys and values
  bool output_bias = false;  // of the attention's output
  bool ffn_bias = false;     // of the feed-forward layer's matrices
  Activation activation = Activation::kSilu;
  Rotary rotary;
  std::vector<int64_t> window;  // [L] tokens that a token attends to, including itself; 0: all

  std::string dtype;                // of the weights according to config.json, or ""
  int64_t begin_token = -1;         // bos_token_id; -1: none
  std::vector<int64_t> end_tokens;  // eos_token_id, one or several; empty: none
};

// Error, naming `where` (a path) and the setting, if one is missing, of the wrong type, out of
// range, contradicted by another, or not supported. For an unknown model_type it lists the known
// ones.
Architecture parse_architecture(const Json& document, const std::string& where);

// The same for DIR/config.json.
Architecture read_architecture(const std::filesystem::path& directory);

// Everything that the model computes with, in one spelling: two files that say the same in other
// words have the same meaning. The type of the weights and the special tokens are no part of it.
std::string meaning_of(const Architecture& architecture);

// A JSON file of a checkpoint. Error that names what it is, for a git-lfs pointer and its like.
Json parse_checkpoint_json(const std::filesystem::path& file);

}  // namespace bitlaw::hf
