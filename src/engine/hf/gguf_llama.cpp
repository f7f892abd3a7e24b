#include "hf/gguf_llama.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <deque>

#include "base/error.h"
#include "formats/half.h"
#include "hf/exportable.h"
#include "model/safetensors.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/hf_export.h"
#include "tokenizer/piece_notation.h"

namespace bitlaw::hf {
namespace {

constexpr float kLargestFp16 = 65504;

uint32_t file_type(GgufType type) {  // llama.cpp's LLAMA_FTYPE
  return type == GgufType::kF32 ? 0 : type == GgufType::kF16 ? 1 : 32;
}

void add_model(const ModelConfig& c, const std::string& name, GgufType type,
               std::vector<GgufEntry>& entries) {
  const auto whole = [&](const char* key, int64_t value) {
    entries.emplace_back(key, static_cast<uint32_t>(value));
  };
  entries.emplace_back("general.architecture", "llama");
  entries.emplace_back("general.name", name);
  entries.emplace_back("general.file_type", file_type(type));
  whole("llama.context_length", c.sequence);
  whole("llama.embedding_length", c.width);
  whole("llama.block_count", c.layers);
  whole("llama.feed_forward_length", c.hidden);
  whole("llama.attention.head_count", c.heads);
  whole("llama.attention.head_count_kv", c.kv_heads);
  entries.emplace_back("llama.attention.layer_norm_rms_epsilon",
                       static_cast<float>(c.norm_epsilon));
  whole("llama.rope.dimension_count", c.head_dim());
  entries.emplace_back("llama.rope.freq_base", static_cast<float>(c.rope_theta));
  whole("llama.vocab_size", c.vocabulary);
}

void add_pieces(const std::vector<SentencePiece>& pieces, bool scores,
                std::vector<GgufEntry>& entries) {
  std::vector<std::string> texts;
  std::vector<float> numbers;
  std::vector<int32_t> types;
  for (const SentencePiece& piece : pieces) {
    texts.push_back(piece.text);
    numbers.push_back(piece.score);
    types.push_back(static_cast<int32_t>(piece.type));
  }
  entries.emplace_back("tokenizer.ggml.tokens", std::move(texts));
  if (scores) entries.emplace_back("tokenizer.ggml.scores", std::move(numbers));
  entries.emplace_back("tokenizer.ggml.token_type", std::move(types));
}

void add_tokenizer(const Tokenizer& tokenizer, std::vector<GgufEntry>& entries) {
  const uint32_t end = tokenizer.end_of_document();
  if (tokenizer.kind() == "byte") {
    entries.emplace_back("tokenizer.ggml.model", "gpt2");
    entries.emplace_back("tokenizer.ggml.pre", "default");
    std::vector<SentencePiece> pieces;
    for (const std::string& character : byte_level_characters()) pieces.push_back({character});
    pieces.push_back({kByteEndToken, 0, PieceType::kControl});
    add_pieces(pieces, false, entries);
    entries.emplace_back("tokenizer.ggml.merges", std::vector<std::string>{});
  } else {
    entries.emplace_back("tokenizer.ggml.model", "llama");
    entries.emplace_back("tokenizer.ggml.pre", "default");
    const SentencepieceModel model = exported_sentencepiece(tokenizer);
    add_pieces(model.pieces, true, entries);
    for (size_t id = 0; id < model.pieces.size(); ++id) {
      if (model.pieces[id].type == PieceType::kUnknown)
        entries.emplace_back("tokenizer.ggml.unknown_token_id", static_cast<uint32_t>(id));
    }
  }
  entries.emplace_back("tokenizer.ggml.bos_token_id", end);
  entries.emplace_back("tokenizer.ggml.eos_token_id", end);
  entries.emplace_back("tokenizer.ggml.padding_token_id", end);
  for (const char* key : {"tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token",
                          "tokenizer.ggml.add_space_prefix"}) {
    entries.emplace_back(key, false);
  }
}

// LlamaForCausalLM's name of a tensor, and llama.cpp's.
std::string gguf_name(const std::string& name) {
  if (name == "model.embed_tokens.weight") return "token_embd.weight";
  if (name == "model.norm.weight") return "output_norm.weight";
  if (name == "lm_head.weight") return "output.weight";
  constexpr std::pair<std::string_view, std::string_view> kOfALayer[] = {
      {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"}, {"post_attention_layernorm", "ffn_norm"},
      {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
  };
  constexpr std::string_view kLayers = "model.layers.";
  BITLAW_CHECK(name.starts_with(kLayers));
  const size_t dot = name.find('.', kLayers.size());
  const std::string layer = name.substr(kLayers.size(), dot - kLayers.size());
  for (const auto& [theirs, ours] : kOfALayer) {
    if (name.substr(dot + 1) == fmt::format("{}.weight", theirs))
      return fmt::format("blk.{}.{}.weight", layer, ours);
  }
  BITLAW_CHECK(false);
  return "";
}

// Rows in llama.cpp's order of the rotation.
std::string permuted(std::string_view bytes, int64_t rows, int64_t head_dim) {
  const size_t row_bytes = bytes.size() / static_cast<size_t>(rows);
  std::string out;
  out.reserve(bytes.size());
  for (int64_t row = 0; row < rows; ++row)
    out +=
        bytes.substr(static_cast<size_t>(rotary_source_row(row, head_dim)) * row_bytes, row_bytes);
  return out;
}

std::string narrowed(std::string_view bytes, GgufType type, const std::string& name) {
  std::string out(bytes.size() / 2, '\0');
  for (size_t i = 0; i < out.size() / 2; ++i) {
    float value;
    std::memcpy(&value, bytes.data() + 4 * i, 4);
    if (type == GgufType::kF16 && std::fabs(value) > kLargestFp16) {
      throw Error(
          fmt::format("{}: a weight of {} is too large for f16; export bf16 or f32", name, value));
    }
    const uint16_t bits = type == GgufType::kF16 ? fp16_bits(value) : bf16_bits(value);
    std::memcpy(out.data() + 2 * i, &bits, 2);
  }
  return out;
}

}  // namespace

int64_t rotary_source_row(int64_t row, int64_t head_dim) {
  const int64_t head = row / head_dim, within = row % head_dim;
  return head * head_dim + (within % 2) * (head_dim / 2) + within / 2;
}

size_t export_gguf(const std::filesystem::path& checkpoint, const Tokenizer& tokenizer,
                   const std::string& name, GgufType type, const std::filesystem::path& file) {
  const ModelConfig config = load_exportable(checkpoint, tokenizer).config;
  std::vector<GgufEntry> entries;
  add_model(config, name, type, entries);
  add_tokenizer(tokenizer, entries);

  const SafetensorsFile weights(checkpoint / "model.safetensors");
  std::vector<GgufTensor> tensors;
  std::deque<std::string> changed;  // what is not as in the file
  for (const auto& [source, entry] : weights.entries()) {
    if (source == "lm_head.weight" && config.tied_head) continue;
    if (entry.dtype != "F32") {
      throw Error(fmt::format("{}: tensor '{}' is {}; the weights of a run are F32",
                              checkpoint.string(), source, entry.dtype));
    }
    GgufTensor tensor{gguf_name(source), entry.shape, GgufType::kF32, weights.bytes(source)};
    const bool turned = source.ends_with("q_proj.weight") || source.ends_with("k_proj.weight");
    if (turned)
      tensor.bytes =
          changed.emplace_back(permuted(tensor.bytes, tensor.shape[0], config.head_dim()));
    if (type != GgufType::kF32 && tensor.shape.size() == 2) {
      tensor.type = type;
      tensor.bytes = changed.emplace_back(narrowed(tensor.bytes, type, source));
    }
    tensors.push_back(std::move(tensor));
  }
  return write_gguf(file, entries, tensors);
}

}  // namespace bitlaw::hf
