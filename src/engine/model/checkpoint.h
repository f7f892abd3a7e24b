// A model on disk as Hugging Face's transformers lays out a Llama model, so that either side can
// read what the other wrote: DIR/model.safetensors (FP32, LlamaForCausalLM's names) and
// DIR/config.json.
//
// In memory some matrices are fused by rows; on disk they are apart:
//   self_attn.qkv_proj [(H + 2G) dim, d] = self_attn.q_proj [H dim, d], k_proj [G dim, d],
//                                          v_proj [G dim, d]
//   mlp.gate_up_proj [2F, d]             = mlp.gate_proj [F, d], up_proj [F, d]
// A tied head is not stored. Rotary halves are paired as transformers pairs them, so no rows move.
//
// extra_norm has no counterpart in Llama: such a model is stored with model_type "bitlaw" and the
// tensors self_attn.o_norm.weight [d] and mlp.down_norm.weight [F], so that transformers refuses it
// rather than computing something else.
#pragma once

#include <filesystem>
#include <string>

#include "model/model.h"

namespace bitlaw {

// What config.json says about the tokens; -1: nothing.
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

// What save_model wrote comes back bit for bit. Models of others load too, if they are plain Llama
// (one file; FP32, or BF16, which is widened; SiLU, no biases, no rope scaling). An Error says what
// is missing, of a wrong shape, left over or not supported.
LoadedModel load_model(const std::filesystem::path& directory);

// Hash of the weights' file, to be kept with what was measured on it.
std::string weights_hash(const std::filesystem::path& directory);
// Error where the file is not the one of that hash any more; an empty hash is of any file.
void require_weights(const std::filesystem::path& directory, const std::string& hash);

}  // namespace bitlaw
