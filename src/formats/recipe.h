// A recipe defines how every role of a training step is rounded in the forward pass. Gradients pass
// straight through the rounding; master weights stay FP32; embeddings, norms and the output head do
// not depend on the recipe (docs/numerics.md has every rounding in order).
#pragma once

#include <string>
#include <vector>

#include "formats/quantizer.h"

namespace bitlaw {

enum class Role { kWeights, kActivations, kKeys, kValues, kQueries };

struct Recipe {
  Quantizer weights, activations, keys, values, queries;  // default: BF16 everywhere

  // Sequences that share a scale where a role has one per batch; 0 if none has.
  int64_t batch_sequences = 0;

  // "bf16"; or "w4a16kv4", followed by "q4" if queries are rounded, too, provided that every role
  // is bf16, fp32 (32) or an integer with the usual granularity (weights per channel, the rest per
  // sequence) and keys are rounded like values; else the roles in full, "weights=e2m1/group32
  // activations=bf16 ...".
  std::string name() const;
  bool has_batch_scales() const;  // of any role
  // The width of the blocks in which both operands of a projection with this many inputs, or
  // queries and keys of this width, are rotated before they are rounded; 1 if they are not.
  int64_t projection_rotation(int64_t inputs) const;
  int64_t head_rotation(int64_t head_width) const;
  bool operator==(const Recipe&) const = default;
};

// Which entries of the matrix of a role share a scale. Error for weights per token, sequence or
// batch.
ScaleAxis scale_axis(Role role, Granularity granularity);

// A recipe in a configuration file, with the names of formats/role_format.h. 16 means BF16, 32
// means FP32 (no rounding at all, for reference runs).
struct RecipeConfig {
  std::string named;        // a recipe of formats/named_recipe.h, which gives other keys; or none
  std::string weights;      // a number of bits or a name of formats/role_format.h; empty: as named,
  std::string activations;  // or else 16
  std::string kv = "16";    // keys and values
  std::string queries = "16";           // or "kv": as keys and values
  std::string weights_granularity;      // tensor, channel or groupG; empty: as named, or channel
  std::string activations_granularity;  // sequence, channel, token, groupG or batch; or as above
  std::string kv_granularity = "sequence";  // the same

  template <class V>
  void visit(V& v) {
    v("named", named,
      "a recipe known from a paper, which gives the keys of weights and activations: quest-w4a4, "
      "quartet-forward-mxfp4 or nvfp4-forward (docs/formats.md says what each contains)");
    v("weights", weights,
      "precision of the weights: bits (2..16; 16: BF16) or a format: e2m1, int4-e8m0, mxfp4, "
      "nvfp4");
    v("activations", activations, "precision of the inputs of the linear layers");
    v("kv", kv, "precision of keys and values");
    v("queries", queries, "precision of queries, rounded after RoPE; kv: that of keys and values");
    v("weights_granularity", weights_granularity,
      "what shares a scale: tensor (the matrix), channel or group32");
    v("activations_granularity", activations_granularity,
      "what shares a scale: sequence, channel, token, group32 or batch");
    v("kv_granularity", kv_granularity, "sequence, channel, token, group32 or batch (queries too)");
  }
};

// A named recipe and the keys that it stands for give equal recipes. The granularity of a role
// without a scale (16, 32) is ignored. A published block format has its own granularity: the key
// may be left out or name it. Error, naming the key and what is expected, if a name is unknown.
// `batch_sequences` is how many sequences a batch has; the recipe keeps it if a role has a scale
// per batch.
Recipe make_recipe(const RecipeConfig& config, int64_t batch_sequences = 0);

// Up to version 0.2, "tensor" was the name of "sequence" for activations, keys, values and queries.
// The old name is still read, and means the same.
//
// The granularity `text` of such a role: "sequence" for "tensor", everything else as it is.
std::string without_old_name(const std::string& text);
// The note for whoever wrote it; "" if `text` is not the old name.
std::string note_on_old_name(const std::string& key, const std::string& text);
std::vector<std::string> notes_on_old_names(const RecipeConfig& config);
// Quantizers in a text such as "weights=int4/tensor activations=int4/sequence ...", or of one such
// role, "int8/sequence": spelled as up to version 0.2, for hashes that name files, and back.
std::string with_old_names(const std::string& text);
std::string without_old_names(const std::string& text);

}  // namespace bitlaw
