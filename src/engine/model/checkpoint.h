// A model on disk in the layout of Hugging Face's transformers for Llama, so that either side can
// read the other's files: DIR/model.safetensors (FP32, LlamaForCausalLM's names) and
// DIR/config.json.
//
// In memory some matrices are fused by rows; on disk they are separate:
//   self_attn.qkv_proj [(H + 2G) dim, d] = self_attn.q_proj [H dim, d], k_proj [G dim, d],
//                                          v_proj [G dim, d]
//   mlp.gate_up_proj [2F, d]             = mlp.gate_proj [F, d], up_proj [F, d]
// A tied head is not stored. Rotary halves are paired as in transformers, so rows keep their order.
//
// Llama has no counterpart of extra_norm: such a model is stored with model_type "bitlaw" and the
// tensors self_attn.o_norm.weight [d] and mlp.down_norm.weight [F], so that transformers refuses it
// instead of computing something else.
#pragma once

#include <filesystem>
#include <string>

#include "model/model.h"

namespace bitlaw {

// Special tokens in config.json; -1: not given.
struct SpecialTokens {
  int begin = -1;  // bos_token_id
  int end = -1;    // eos_token_id
};

// Creates the directory. Each file is written atomically; Error as in base/file.h.
void save_model(const std::filesystem::path& directory, const Model& model,
                const Parameters& parameters, const SpecialTokens& tokens = {});

struct LoadedModel {
  ModelConfig config;     // resolved
  Parameters parameters;  // F32, laid out as Model(config, ...) does
};

// Loads what save_model wrote, bit for bit. Also loads third-party models that are plain Llama (one
// file; FP32, or BF16, which is widened; SiLU, no biases, no rope scaling). Error, naming the
// tensor or setting, if something is missing, has the wrong shape, is left over or not supported.
LoadedModel load_model(const std::filesystem::path& directory);

// Hash of the weights' file, which is stored with measurements of the model.
std::string weights_hash(const std::filesystem::path& directory);
// Error if the file no longer has that hash; an empty hash matches any file.
void require_weights(const std::filesystem::path& directory, const std::string& hash);

}  // namespace bitlaw
