#include "hf/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <numeric>

#include "base/error.h"
#include "hf/layout.h"
#include "hf/rotary.h"

namespace bitlaw::hf {
namespace {

Json config_of(const std::string& type) {
  static const std::map<std::string, std::string> classes{{"llama", "LlamaForCausalLM"},
                                                          {"mistral", "MistralForCausalLM"},
                                                          {"qwen2", "Qwen2ForCausalLM"},
                                                          {"olmo2", "Olmo2ForCausalLM"},
                                                          {"gpt_neox", "GPTNeoXForCausalLM"}};
  return {{"model_type", type},     {"architectures", {classes.at(type)}},
          {"hidden_size", 64},      {"intermediate_size", 96},
          {"num_hidden_layers", 4}, {"num_attention_heads", 4},
          {"vocab_size", 97},       {"max_position_embeddings", 128}};
}

// The same with settings of `patch` added; null takes one away.
Json patched(const std::string& type, const Json& patch) {
  Json config = config_of(type);
  for (const auto& [key, value] : patch.items()) {
    if (value == "(absent)") {
      config.erase(key);
    } else {
      config[key] = value;
    }
  }
  return config;
}

Architecture parsed(const std::string& type, const Json& patch = Json::object()) {
  return parse_architecture(patched(type, patch), "DIR/config.json");
}

TEST(HfConfig, WhatIsLeftOutIsAsInTransformers) {
  const Architecture llama = parsed("llama");
  EXPECT_EQ(llama.kv_heads, 4);
  EXPECT_EQ(llama.head_dim, 16);
  EXPECT_EQ(llama.rotary.dim, 16);
  EXPECT_EQ(llama.rotary.theta, 10000);
  EXPECT_EQ(llama.norm_epsilon, 1e-6);
  EXPECT_FALSE(llama.tied_head || llama.qkv_bias || llama.output_bias || llama.ffn_bias);
  EXPECT_TRUE(llama.gated);
  EXPECT_EQ(llama.activation, Activation::kSilu);
  EXPECT_EQ(llama.window, std::vector<int64_t>(4, 0));
  EXPECT_EQ(llama.begin_token, -1);

  EXPECT_EQ(parsed("mistral").window, std::vector<int64_t>(4, 4096));
  EXPECT_EQ(parsed("mistral", {{"sliding_window", nullptr}}).window, std::vector<int64_t>(4, 0));

  const Architecture qwen = parsed("qwen2");
  EXPECT_TRUE(qwen.qkv_bias);
  EXPECT_FALSE(qwen.output_bias || qwen.ffn_bias);
  EXPECT_EQ(qwen.window, std::vector<int64_t>(4, 0));

  const Architecture olmo = parsed("olmo2");
  EXPECT_TRUE(olmo.norm_after && olmo.qk_norm);
  EXPECT_EQ(olmo.norm_epsilon, 1e-5);

  const Architecture neox = parsed("gpt_neox");
  EXPECT_EQ(neox.norm, Norm::kLayer);
  EXPECT_EQ(neox.activation, Activation::kGelu);
  EXPECT_EQ(neox.rotary.dim, 4);  // a quarter of 16
  EXPECT_TRUE(neox.parallel && neox.fused_qkv && neox.qkv_bias && neox.output_bias &&
              neox.ffn_bias);
  EXPECT_FALSE(neox.gated);
}

TEST(HfConfig, SettingsAreFollowed) {
  const Architecture a = parsed("llama", {{"num_key_value_heads", 2},
                                          {"head_dim", 24},
                                          {"attention_bias", true},
                                          {"mlp_bias", true},
                                          {"hidden_act", "gelu_new"},
                                          {"rms_norm_eps", 1e-5},
                                          {"tie_word_embeddings", true},
                                          {"dtype", "bfloat16"},
                                          {"bos_token_id", 1},
                                          {"eos_token_id", {2, 3}}});
  EXPECT_EQ(a.kv_heads, 2);
  EXPECT_EQ(a.head_dim, 24);
  EXPECT_TRUE(a.qkv_bias && a.output_bias && a.ffn_bias && a.tied_head);
  EXPECT_EQ(a.activation, Activation::kGeluTanh);
  EXPECT_EQ(a.norm_epsilon, 1e-5);
  EXPECT_EQ(a.dtype, "bfloat16");
  EXPECT_EQ(a.begin_token, 1);
  EXPECT_EQ(a.end_tokens, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(parsed("llama", {{"torch_dtype", "float16"}}).dtype, "float16");
  EXPECT_FALSE(parsed("gpt_neox", {{"use_parallel_residual", false}}).parallel);
  EXPECT_FALSE(parsed("gpt_neox", {{"attention_bias", false}}).qkv_bias);
}

TEST(HfConfig, WindowsOfQwenBelongToItsLaterLayers) {
  const Json window{{"use_sliding_window", true}, {"sliding_window", 8}, {"max_window_layers", 3}};
  EXPECT_EQ(parsed("qwen2", window).window, (std::vector<int64_t>{0, 0, 0, 8}));
  Json listed = window;
  listed["layer_types"] = {"sliding_attention", "full_attention", "full_attention",
                           "sliding_attention"};
  EXPECT_EQ(parsed("qwen2", listed).window, (std::vector<int64_t>{8, 0, 0, 8}));
  listed["use_sliding_window"] = false;
  EXPECT_THROW(parsed("qwen2", listed), Error);
}

TEST(HfConfig, BothSpellingsOfTheRotationAreTheSame) {
  const Json scaling{{"rope_type", "llama3"},
                     {"factor", 8.0},
                     {"low_freq_factor", 1.0},
                     {"high_freq_factor", 4.0},
                     {"original_max_position_embeddings", 64}};
  Json old = scaling;
  old.erase("rope_type");
  old["type"] = "llama3";
  Json fresh = scaling;
  fresh["rope_theta"] = 500000.0;
  const Architecture four = parsed("llama", {{"rope_theta", 500000.0}, {"rope_scaling", old}});
  const Architecture five = parsed("llama", {{"rope_parameters", fresh}});
  EXPECT_EQ(four.rotary.scaling, RotaryScaling::kLlama3);
  EXPECT_EQ(four.rotary.theta, 500000.0);
  EXPECT_EQ(four.rotary.original_context, 64);
  EXPECT_EQ(rotary_frequencies(four.rotary, 32), rotary_frequencies(five.rotary, 32));

  const Architecture old_neox =
      parsed("gpt_neox", {{"rotary_pct", 0.5}, {"rotary_emb_base", 20000}});
  const Architecture new_neox =
      parsed("gpt_neox",
             {{"rope_parameters",
               {{"rope_type", "default"}, {"rope_theta", 20000}, {"partial_rotary_factor", 0.5}}}});
  EXPECT_EQ(old_neox.rotary.dim, 8);
  EXPECT_EQ(new_neox.rotary.dim, 8);
  EXPECT_EQ(rotary_frequencies(old_neox.rotary, 32), rotary_frequencies(new_neox.rotary, 32));
}

// f_i within 4 ulp of the formula at points where it is simple.
TEST(HfConfig, ScaledFrequenciesAtTheEndsOfTheirRanges) {
  const auto frequencies = [](const Json& rope, int64_t T) {
    return rotary_frequencies(parsed("llama", {{"rope_parameters", rope}}).rotary, T);
  };
  const std::vector<double> plain =
      frequencies({{"rope_type", "default"}, {"rope_theta", 10000.0}}, 128);
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_DOUBLE_EQ(plain[i], std::pow(10000.0, -static_cast<double>(i) / 8));
  }
  const std::vector<double> linear = frequencies({{"rope_type", "linear"}, {"factor", 4.0}}, 128);
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_DOUBLE_EQ(linear[i], plain[i] / 4);

  const Json dynamic{{"rope_type", "dynamic"}, {"factor", 2.0}};
  EXPECT_EQ(frequencies(dynamic, 128), plain);  // up to the context nothing changes
  const std::vector<double> longer = frequencies(dynamic, 256);
  EXPECT_EQ(longer[0], 1);
  // theta grows by 3^(16/14), so that the slowest frequency, theta^(-14/16), falls to a third.
  EXPECT_DOUBLE_EQ(longer.back(), plain.back() / 3);

  const Json llama3{{"rope_type", "llama3"},
                    {"factor", 8.0},
                    {"low_freq_factor", 1.0},
                    {"high_freq_factor", 4.0},
                    {"original_max_position_embeddings", 100}};
  const std::vector<double> scaled = frequencies(llama3, 128);
  for (size_t i = 0; i < plain.size(); ++i) {
    const double turns = 100 * plain[i] / (2 * std::numbers::pi);
    if (turns >= 4) {
      EXPECT_DOUBLE_EQ(scaled[i], plain[i]);
    } else if (turns <= 1) {
      EXPECT_DOUBLE_EQ(scaled[i], plain[i] / 8);
    } else {
      EXPECT_LT(scaled[i], plain[i]);
      EXPECT_GT(scaled[i], plain[i] / 8);
    }
  }
  const Json yarn{{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}};
  const std::vector<double> stretched = frequencies(yarn, 128);
  EXPECT_DOUBLE_EQ(stretched.front(), plain.front());
  EXPECT_DOUBLE_EQ(stretched.back(), plain.back() / 4);
  EXPECT_DOUBLE_EQ(parsed("llama", {{"rope_parameters", yarn}}).rotary.attention_factor,
                   0.1 * std::log(4.0) + 1);
}

// Files as published, including settings that are not used here.
struct Published {
  const char* name;
  const char* config;
  int64_t head_dim, turned, window;
  int64_t parameters;  // all, as published
};
const Published kPublished[] = {
    {"pythia-160m", R"({"architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0,
      "eos_token_id": 0, "hidden_act": "gelu", "hidden_size": 768, "initializer_range": 0.02,
      "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048,
      "model_type": "gpt_neox", "num_attention_heads": 12, "num_hidden_layers": 12,
      "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": false,
      "torch_dtype": "float16", "use_cache": true, "use_parallel_residual": true,
      "vocab_size": 50304})",
     64, 16, 0, 162322944},
    {"llama-3.2-1b", R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
      "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": [128001, 128008],
      "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 8192,
      "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
      "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8,
      "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 32.0,
      "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
      "rope_type": "llama3"}, "rope_theta": 500000.0, "tie_word_embeddings": true,
      "torch_dtype": "bfloat16", "vocab_size": 128256})",
     64, 64, 0, 1235814400},
    {"smollm2-135m", R"({"architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
      "hidden_size": 576, "intermediate_size": 1536, "is_llama_config": true,
      "max_position_embeddings": 8192, "model_type": "llama", "num_attention_heads": 9,
      "num_hidden_layers": 30, "num_key_value_heads": 3, "pretraining_tp": 1,
      "rms_norm_eps": 1e-05, "rope_interleaved": false, "rope_scaling": null,
      "rope_theta": 100000, "tie_word_embeddings": true, "vocab_size": 49152})",
     64, 64, 0, 134515008},
    {"qwen2.5-7b in a long context", R"({"architectures": ["Qwen2ForCausalLM"],
      "bos_token_id": 151643, "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 3584,
      "intermediate_size": 18944, "max_position_embeddings": 32768, "max_window_layers": 28,
      "model_type": "qwen2", "num_attention_heads": 28, "num_hidden_layers": 28,
      "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_scaling": {"factor": 4.0,
      "original_max_position_embeddings": 32768, "type": "yarn"}, "rope_theta": 1000000.0,
      "sliding_window": 131072, "tie_word_embeddings": false, "use_mrope": false,
      "use_sliding_window": false, "vocab_size": 152064})",
     128, 128, 0, 7615616512},
    {"olmo-2-1b", R"({"architectures": ["Olmo2ForCausalLM"], "attention_bias": false,
      "attention_dropout": 0.0, "eos_token_id": 100257, "hidden_act": "silu",
      "hidden_size": 2048, "intermediate_size": 8192, "max_position_embeddings": 4096,
      "model_type": "olmo2", "num_attention_heads": 16, "num_hidden_layers": 16,
      "num_key_value_heads": 16, "pad_token_id": 100277, "rms_norm_eps": 1e-06,
      "rope_scaling": null, "rope_theta": 500000, "tie_word_embeddings": false,
      "torch_dtype": "float32", "vocab_size": 100352})",
     128, 128, 0, 1484916736},
    {"mistral-7b-v0.1", R"({"architectures": ["MistralForCausalLM"], "bos_token_id": 1,
      "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
      "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32,
      "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
      "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": false,
      "torch_dtype": "bfloat16", "vocab_size": 32000})",
     128, 128, 4096, 7241732096},
};

TEST(HfConfig, PublishedFilesAreRead) {
  for (const Published& one : kPublished) {
    const Architecture a = parse_architecture(parse_json(one.config, one.name), one.name);
    EXPECT_EQ(a.head_dim, one.head_dim) << one.name;
    EXPECT_EQ(a.rotary.dim, one.turned) << one.name;
    EXPECT_EQ(a.window[0], one.window) << one.name;
    const Layout layout = layout_of(a);
    int64_t parameters = 0;
    for (const TensorSpec& spec : layout.tensors()) {
      parameters += std::accumulate(spec.shape.begin(), spec.shape.end(), int64_t{1},
                                    std::multiplies<int64_t>());
    }
    EXPECT_EQ(parameters, one.parameters) << one.name;
    const int64_t tables = a.tied_head ? 1 : 2, norms = a.norm == Norm::kLayer ? 2 : 1;
    EXPECT_EQ(layout.layer_parameters(), parameters - a.width * (tables * a.vocabulary + norms))
        << one.name;
  }
}

TEST(HfConfig, AnUnknownArchitectureListsTheKnown) {
  try {
    parse_architecture({{"model_type", "mamba"}}, "DIR/config.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "DIR/config.json: model_type 'mamba' is not supported; bitlaw reads llama, mistral, "
        "qwen2, olmo2, gpt_neox");
  }
}

TEST(HfConfig, BadSettingsAreRefusedByName) {
  struct Case {
    const char* type;
    Json patch;
    const char* expected;  // in the message
  };
  const std::vector<Case> cases{
      {"llama", {{"hidden_size", "(absent)"}}, "hidden_size is missing"},
      {"llama", {{"hidden_size", -64}}, "hidden_size must be 1..1048576, not -64"},
      {"qwen2", {{"is_causal", false}}, "is_causal is false"},
      {"llama", {{"hidden_size", 64.5}}, "hidden_size must be a whole number, not 64.5"},
      {"llama", {{"hidden_size", 18446744073709551615u}}, "hidden_size must be 1..1048576"},
      {"llama",
       {{"vocab_size", int64_t{1} << 40}},
       "vocab_size must be 1..67108864, not 1099511627776"},
      {"llama", {{"num_attention_heads", 0}}, "num_attention_heads must be 1..16384, not 0"},
      {"llama", {{"num_attention_heads", 5}}, "5 does not divide hidden_size, 64"},
      {"llama", {{"num_key_value_heads", 3}}, "3 does not divide num_attention_heads, 4"},
      {"llama", {{"head_dim", 15}}, "must be even and positive"},
      {"llama", {{"rms_norm_eps", -1e-6}}, "rms_norm_eps must be 1e-30..1, not -1e-06"},
      {"llama", {{"rms_norm_eps", "small"}}, "rms_norm_eps must be a number, not \"small\""},
      {"llama",
       {{"hidden_act", "relu"}},
       "hidden_act 'relu' is not supported; bitlaw computes silu"},
      {"llama", {{"tie_word_embeddings", 1}}, "tie_word_embeddings must be true or false, not 1"},
      {"llama",
       {{"architectures", {"LlamaForSequenceClassification"}}},
       "architectures does not name"},
      {"llama",
       {{"quantization_config", {{"bits", 4}}}},
       "quantization_config says that the weights are already quantized"},
      {"llama",
       {{"rope_interleaved", true}},
       "rope_interleaved is not a setting that bitlaw supports for llama"},
      {"llama", {{"use_parallel_residual", true}}, "use_parallel_residual is not a setting"},
      {"llama",
       {{"sliding_window", 8}},
       "sliding_window is not a setting that bitlaw supports for llama"},
      {"llama", {{"eos_token_id", "end"}}, "eos_token_id is not a token"},
      {"llama",
       {{"rope_scaling", {{"type", "longrope"}}}},
       "rope_scaling.rope_type 'longrope' is not"},
      {"llama", {{"rope_scaling", {{"type", "linear"}}}}, "rope_scaling.factor is missing"},
      {"llama",
       {{"rope_scaling", {{"type", "linear"}, {"factor", 0.5}}}},
       "factor must be 1..1000000000, not 0.5"},
      {"llama",
       {{"rope_scaling", {{"type", "linear"}, {"factor", 2}, {"beta_fast", 3}}}},
       "rope_scaling.beta_fast is not a setting that bitlaw supports for this rope_type"},
      {"llama", {{"rope_scaling", 7}}, "rope_scaling must be an object, not 7"},
      {"llama", {{"rope_theta", 5e5}, {"rope_parameters", {{"rope_theta", 1e4}}}}, "contradicts"},
      {"llama",
       {{"rope_theta", 5e5}, {"rope_parameters", {{"rope_theta", 1e4}}}},
       "rope_theta at the top is 500000, but rope_parameters.rope_theta is 10000"},
      {"llama",
       {{"quantization", {{"group_size", 64}, {"bits", 4}}}},
       "quantization says that the weights are already quantized (MLX)"},
      {"llama", {{"quantization_config", {{"quant_method", "awq"}}}}, "quantized (AWQ)"},
      {"llama", {{"quantization_config", {{"load_in_4bit", true}}}}, "quantized (bitsandbytes)"},
      {"llama",
       {{"quantization_config", {{"quant_method", "compressed-tensors"}}}},
       "quantized (compressed-tensors)"},
      {"llama", {{"rope_theta", 0.5}}, "rope_theta must be 1.000001..1e+18, not 0.5"},
      {"llama",
       {{"partial_rotary_factor", 0.5}},
       "partial_rotary_factor 0.5 is not supported: llama models rotate whole"},
      {"mistral", {{"sliding_window", 0}}, "sliding_window must be 1..2147483648, not 0"},
      {"mistral", {{"mlp_bias", true}}, "mlp_bias must be false: mistral models never have"},
      {"qwen2",
       {{"attention_bias", false}},
       "attention_bias must be true: qwen2 models always have"},
      {"qwen2", {{"layer_types", {"full_attention"}}}, "layer_types is not a list of 4 names"},
      {"gpt_neox",
       {{"num_key_value_heads", 2}},
       "num_key_value_heads is not a setting that bitlaw supports for gpt_neox"},
      {"gpt_neox",
       {{"rotary_pct", 0.1}},
       "gives 1 rotated entries per head; their number must be even"},
  };
  for (const Case& one : cases) {
    try {
      parsed(one.type, one.patch);
      ADD_FAILURE() << one.patch << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find("DIR/config.json: "), 0u) << error.what();
      EXPECT_NE(std::string(error.what()).find(one.expected), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(parse_architecture(Json::array(), "DIR/config.json"), Error);
}

}  // namespace
}  // namespace bitlaw::hf
