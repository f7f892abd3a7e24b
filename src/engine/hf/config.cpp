#include "hf/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "base/known_content.h"
#include "hf/rotary.h"

namespace bitlaw::hf {
namespace {

// Largest sizes. Beyond any model, and small enough that a product of any two, times the bytes of a
// number, stays below 2^63.
constexpr int64_t kLargestWidth = 1 << 20;
constexpr int64_t kLargestHidden = 1 << 22;
constexpr int64_t kLargestLayers = 1 << 14;
constexpr int64_t kLargestHeads = 1 << 14;
constexpr int64_t kLargestHead = 1 << 14;
constexpr int64_t kLargestVocabulary = 1 << 26;
constexpr int64_t kLargestContext = int64_t{1} << 31;
constexpr double kLeastEpsilon = 1e-30;  // above zero, so that a row of zeros has a norm

struct FamilyRow {
  Family family;
  const char* type;          // model_type
  const char* architecture;  // of `architectures`
  double norm_epsilon;       // transformers' default
  int64_t sliding_window;    // transformers' default; 0: none
};
constexpr FamilyRow kFamilies[] = {
    {Family::kLlama, "llama", "LlamaForCausalLM", 1e-6, 0},
    {Family::kMistral, "mistral", "MistralForCausalLM", 1e-6, 4096},
    {Family::kQwen2, "qwen2", "Qwen2ForCausalLM", 1e-6, 4096},
    {Family::kOlmo2, "olmo2", "Olmo2ForCausalLM", 1e-5, 0},
    {Family::kGptNeox, "gpt_neox", "GPTNeoXForCausalLM", 1e-5, 0},
};

struct ActivationRow {
  const char* name;
  Activation activation;
};
constexpr ActivationRow kActivations[] = {
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"gelu", Activation::kGelu},
    {"gelu_python", Activation::kGelu},
    {"gelu_new", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_python_tanh", Activation::kGeluTanh},
};

// Settings of other families that change the function. Null, false, zero and nothing say that they
// do not.
constexpr const char* kForeignSettings[] = {
    "clip_qkv",
    "logits_scaling",
    "embedding_multiplier",
    "logit_scale",
    "attention_multiplier",
    "residual_multiplier",
    "num_local_experts",
    "num_experts",
    "final_logit_softcapping",
    "sliding_window_pattern",
    "attn_logit_softcapping",
    "query_pre_attn_scalar",
    "use_qk_norm",
    "rope_local_base_freq",
    "attention_chunk_size",
    "no_rope_layers",
    "kv_lora_rank",
    "rope_interleaved",
    "use_parallel_residual",
    "parallel_attn",
    "alibi",
    "use_mrope",
};

bool says_nothing(const Json& value) {
  return value == false || value == 0 || (value.is_structured() && value.empty());
}

const FamilyRow& family_row(const JsonFields& settings) {
  const std::string type = settings.text("model_type", "");
  std::string known;
  for (const FamilyRow& row : kFamilies) {
    if (type == row.type) return row;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.type);
  }
  settings.fail("model_type",
                settings.has("model_type")
                    ? fmt::format("'{}' is not supported; bitlaw reads {}", type, known)
                    : "is missing; bitlaw reads " + known);
}

// The class of the model, if the file names it: only causal language models have an output head.
void check_architectures(const JsonFields& settings, const FamilyRow& row) {
  if (!settings.has("architectures")) return;
  const Json& names = settings.at("architectures");
  if (names.is_array() && std::find(names.begin(), names.end(), row.architecture) != names.end())
    return;
  settings.fail(
      "architectures",
      fmt::format(
          "does not name {0}; bitlaw reads causal language models: save the model with its "
          "output head (AutoModelForCausalLM), or name {0} there if the head is the embedding",
          row.architecture));
}

Activation read_activation(const JsonFields& settings, const char* otherwise) {
  const std::string name = settings.text("hidden_act", otherwise);
  std::string known;
  for (const ActivationRow& row : kActivations) {
    if (name == row.name) return row.activation;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
  }
  settings.fail("hidden_act",
                fmt::format("'{}' is not supported; bitlaw computes {}", name, known));
}

void require_absent(const JsonFields& settings, const char* key, Family family) {
  if (!settings.has(key)) return;
  settings.fail(key,
                fmt::format("is not a setting that bitlaw supports for {} models; remove it if it "
                            "has no effect",
                            name_of(family)));
}

// A bias that the family always has, or never.
void require_bias(const JsonFields& settings, const char* key, bool always, Family family) {
  if (settings.truth(key, always) == always) return;
  settings.fail(key, fmt::format("must be {}: {} models {} have these biases", always,
                                 name_of(family), always ? "always" : "never"));
}

void read_sizes(const JsonFields& settings, Architecture& a) {
  a.width = settings.whole("hidden_size", 1, kLargestWidth);
  a.layers = settings.whole("num_hidden_layers", 1, kLargestLayers);
  a.heads = settings.whole("num_attention_heads", 1, kLargestHeads);
  a.hidden = settings.whole("intermediate_size", 1, kLargestHidden);
  a.vocabulary = settings.whole("vocab_size", 1, kLargestVocabulary);
  a.context = settings.whole("max_position_embeddings", 1, kLargestContext);
  if (!settings.truth("is_causal", true)) {
    settings.fail("is_causal", "is false; bitlaw measures the loss of causal models only");
  }
  a.tied_head = settings.truth("tie_word_embeddings", false);

  if (a.family == Family::kGptNeox) require_absent(settings, "num_key_value_heads", a.family);
  a.kv_heads = settings.whole("num_key_value_heads", 1, kLargestHeads, a.heads);
  if (a.heads % a.kv_heads != 0) {
    settings.fail("num_key_value_heads",
                  fmt::format("{} does not divide num_attention_heads, {}", a.kv_heads, a.heads));
  }

  if (!settings.has("head_dim") && a.width % a.heads != 0) {
    settings.fail("num_attention_heads",
                  fmt::format("{} does not divide hidden_size, {}", a.heads, a.width));
  }
  a.head_dim = settings.whole("head_dim", 1, kLargestHead, a.width / a.heads);
  if (a.head_dim * a.heads > kLargestHidden) {
    settings.fail("head_dim", fmt::format("gives {} heads of {} entries, more than any model has",
                                          a.heads, a.head_dim));
  }
  if (a.family == Family::kGptNeox && a.head_dim * a.heads != a.width) {
    settings.fail("head_dim",
                  fmt::format("{} is not hidden_size / num_attention_heads, which gpt_neox "
                              "models require",
                              a.head_dim));
  }
}

void read_biases(const JsonFields& settings, Architecture& a) {
  switch (a.family) {
    case Family::kLlama:
      a.qkv_bias = a.output_bias = settings.truth("attention_bias", false);
      a.ffn_bias = settings.truth("mlp_bias", false);
      break;
    case Family::kMistral:
      require_bias(settings, "attention_bias", false, a.family);
      require_bias(settings, "mlp_bias", false, a.family);
      break;
    case Family::kQwen2:
      require_bias(settings, "attention_bias", true, a.family);
      require_bias(settings, "mlp_bias", false, a.family);
      a.qkv_bias = true;
      break;
    case Family::kOlmo2:
      a.qkv_bias = a.output_bias = settings.truth("attention_bias", false);
      require_bias(settings, "mlp_bias", false, a.family);
      break;
    case Family::kGptNeox:
      a.qkv_bias = a.output_bias = settings.truth("attention_bias", true);
      require_bias(settings, "mlp_bias", true, a.family);
      a.ffn_bias = true;
      break;
  }
}

// Which tokens a layer sees: windows of Mistral, and of the layers of Qwen2 that have them.
void read_windows(const JsonFields& settings, const FamilyRow& row, Architecture& a) {
  a.window.assign(static_cast<size_t>(a.layers), 0);
  if (row.sliding_window == 0) {
    require_absent(settings, "sliding_window", a.family);
    if (settings.truth("use_sliding_window", false))
      require_absent(settings, "use_sliding_window", a.family);
    require_absent(settings, "layer_types", a.family);
    return;
  }
  if (a.family == Family::kMistral) {
    require_absent(settings, "layer_types", a.family);
    // Here null is an answer: no window.
    const bool none = settings.is_null("sliding_window");
    const int64_t window =
        settings.whole("sliding_window", 1, kLargestContext, none ? 0 : row.sliding_window);
    a.window.assign(a.window.size(), window);
    return;
  }
  const bool used = settings.truth("use_sliding_window", false);
  const bool none = settings.is_null("sliding_window");
  const int64_t window =
      settings.whole("sliding_window", 1, kLargestContext, none ? 0 : row.sliding_window);
  if (!settings.has("layer_types")) {
    const int64_t full = settings.whole("max_window_layers", 0, kLargestLayers, 28);
    for (int64_t l = full; used && l < a.layers; ++l) a.window[static_cast<size_t>(l)] = window;
    return;
  }
  const Json& types = settings.at("layer_types");
  if (!types.is_array() || static_cast<int64_t>(types.size()) != a.layers) {
    settings.fail("layer_types", fmt::format("is not a list of {} names, one per layer", a.layers));
  }
  for (size_t l = 0; l < types.size(); ++l) {
    if (types[l] == "full_attention") continue;
    if (types[l] != "sliding_attention") {
      settings.fail("layer_types", "has a name other than full_attention and sliding_attention");
    }
    if (!used || window == 0) {
      settings.fail("layer_types", "names sliding_attention, but no sliding_window is in use");
    }
    a.window[l] = window;
  }
}

void read_tokens(const JsonFields& settings, Architecture& a) {
  const auto token = [&](const char* key, const Json& value) {
    if (!value.is_number_integer() || value.get<int64_t>() < 0 ||
        value.get<int64_t>() > kLargestVocabulary)
      settings.fail(key, "is not a token id");
    return value.get<int64_t>();
  };
  if (settings.has("bos_token_id"))
    a.begin_token = token("bos_token_id", settings.at("bos_token_id"));
  if (!settings.has("eos_token_id")) return;
  const Json& end = settings.at("eos_token_id");
  if (!end.is_array()) {
    a.end_tokens = {token("eos_token_id", end)};
  } else {
    for (const Json& value : end) a.end_tokens.push_back(token("eos_token_id", value));
  }
}

}  // namespace

const char* name_of(Family family) {
  for (const FamilyRow& row : kFamilies) {
    if (row.family == family) return row.type;
  }
  BITLAW_CHECK(false);
}

namespace {

struct QuantizerRow {
  const char *method, *name;
};
constexpr QuantizerRow kQuantizers[] = {
    {"gptq", "GPTQ"},
    {"awq", "AWQ"},
    {"bitsandbytes", "bitsandbytes"},
    {"compressed-tensors", "compressed-tensors"},
    {"fp8", "FP8"},
    {"fbgemm_fp8", "FP8"},
    {"mxfp4", "MXFP4"},
    {"hqq", "HQQ"},
    {"aqlm", "AQLM"},
    {"quanto", "Quanto"},
    {"torchao", "torchao"},
    {"bitnet", "BitNet"},
};

// Quantized weights say so in one of two settings; MLX's has no name of a method.
void refuse_quantized(const JsonFields& settings) {
  for (const char* key : {"quantization_config", "quantization"}) {
    if (!settings.has(key) || says_nothing(settings.at(key))) continue;
    std::string by;
    const Json& value = settings.at(key);
    if (value.is_object() && value.contains("quant_method") &&
        value.at("quant_method").is_string()) {
      const auto method = value.at("quant_method").get<std::string>();
      by = method;
      for (const QuantizerRow& row : kQuantizers) {
        if (method == row.method) by = row.name;
      }
    } else if (value.is_object() && value.contains("group_size") && value.contains("bits")) {
      by = "MLX";
    } else if (value.is_object() &&
               (value.contains("load_in_4bit") || value.contains("load_in_8bit"))) {
      by = "bitsandbytes";
    }
    settings.fail(key, fmt::format("says that the weights are already quantized{}; give the "
                                   "original checkpoint",
                                   by.empty() ? "" : fmt::format(" ({})", by)));
  }
}

}  // namespace

Architecture parse_architecture(const Json& document, const std::string& where) {
  const JsonFields settings(document, where);
  const FamilyRow& row = family_row(settings);
  check_architectures(settings, row);
  Architecture a;
  a.family = row.family;
  const bool neox = a.family == Family::kGptNeox, olmo2 = a.family == Family::kOlmo2;
  refuse_quantized(settings);
  for (const std::string key : kForeignSettings) {
    if (neox && key == "use_parallel_residual") continue;
    if (settings.has(key) && !says_nothing(settings.at(key)))
      require_absent(settings, key.c_str(), a.family);
  }
  read_sizes(settings, a);
  a.norm = neox ? Norm::kLayer : Norm::kRms;
  a.norm_epsilon =
      settings.number(neox ? "layer_norm_eps" : "rms_norm_eps", kLeastEpsilon, 1, row.norm_epsilon);
  a.norm_after = a.qk_norm = olmo2;
  a.parallel = neox && settings.truth("use_parallel_residual", true);
  a.gated = !neox;
  a.fused_qkv = neox;
  read_biases(settings, a);
  a.activation = read_activation(settings, neox ? "gelu" : "silu");
  a.rotary = read_rotary(settings, a);
  read_windows(settings, row, a);
  a.dtype = settings.text("dtype", settings.text("torch_dtype", ""));
  read_tokens(settings, a);
  return a;
}

std::string meaning_of(const Architecture& a) {
  const Rotary& r = a.rotary;
  return dump_json({
      {"family", name_of(a.family)},
      {"width", a.width},
      {"layers", a.layers},
      {"heads", a.heads},
      {"kv_heads", a.kv_heads},
      {"head_dim", a.head_dim},
      {"hidden", a.hidden},
      {"vocabulary", a.vocabulary},
      {"context", a.context},
      {"tied_head", a.tied_head},
      {"norm", static_cast<int>(a.norm)},
      {"norm_epsilon", a.norm_epsilon},
      {"norm_after", a.norm_after},
      {"qk_norm", a.qk_norm},
      {"parallel", a.parallel},
      {"gated", a.gated},
      {"fused_qkv", a.fused_qkv},
      {"qkv_bias", a.qkv_bias},
      {"output_bias", a.output_bias},
      {"ffn_bias", a.ffn_bias},
      {"activation", static_cast<int>(a.activation)},
      {"window", a.window},
      {"rotary",
       {{"dim", r.dim},
        {"theta", r.theta},
        {"scaling", static_cast<int>(r.scaling)},
        {"factor", r.factor},
        {"original_context", r.original_context},
        {"low_frequency", r.low_frequency},
        {"high_frequency", r.high_frequency},
        {"beta_fast", r.beta_fast},
        {"beta_slow", r.beta_slow},
        {"truncate", r.truncate},
        {"attention_factor", r.attention_factor}}},
  });
}

Json parse_checkpoint_json(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  const std::string known = known_content(text);
  if (!known.empty()) throw Error(fmt::format("{}: not valid JSON: it {}", file.string(), known));
  return parse_json(text, file.string());
}

Architecture read_architecture(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.json";
  if (!std::filesystem::exists(file)) {
    throw Error(
        fmt::format("{}: there is no config.json; give the directory of a checkpoint in "
                    "Hugging Face's layout",
                    directory.string()));
  }
  return parse_architecture(parse_checkpoint_json(file), file.string());
}

}  // namespace bitlaw::hf
