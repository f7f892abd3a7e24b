#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/test_folder.h"
#include "formats/half.h"
#include "hf/gguf_llama.h"
#include "hf/gguf_reader_for_tests.h"
#include "hf/hf_directory.h"
#include "hf/rounded.h"
#include "model/activations.h"
#include "model/checkpoint.h"
#include "model/safetensors.h"
#include "tokenizer/hf_export.h"
#include "tokenizer/text_tokenizer.h"

namespace bitlaw::hf {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTexts{
    "",
    "a",
    " two  spaces and a tab\there\r\n\n\n",
    "the theory of the thing, then the other thing; aaaa aaaaa aaaaaaa 1234 56.7",
    "Gr\xC3\xBC\xC3\x9F"
    "e, \xCE\xB1\xCE\xB2\xCE\xB3, \xE4\xBD\xA0\xE5\xA5\xBD, "
    "\xF0\x9F\x98\x80 e\xCC\x81",
    std::string("\0\x01\x7F", 3)};

std::unique_ptr<Tokenizer> trained_bpe() {
  size_t next = 0;
  return train_bpe({.vocabulary = 360}, [&](std::string& text) {
    if (next == 60) return false;
    text = kTexts[3] + kTexts[next % kTexts.size()] + " number " + std::to_string(next * next) +
           " of the theories of other things that there are, and of those that are not.\n";
    ++next;
    return true;
  });
}

class Export : public testing::Test {
 protected:
  // A model of random weights for this tokenizer, saved as a run's final checkpoint is.
  void save(const Tokenizer& tokenizer, bool tied = false, bool extra_norm = false,
            double scale = 1) {
    ModelConfig config{.width = 24, .layers = 2, .heads = 2, .kv_heads = 1, .sequence = 16};
    config.vocabulary = tokenizer.vocabulary_size();
    config.tied_head = tied;
    config.extra_norm = extra_norm;
    const Model model(config.resolved(), Recipe{});
    Parameters parameters = model.make_parameters();
    model.initialize(parameters, 3);
    parameters.tensors[0].f32()[5] *= static_cast<float>(scale);
    fs::remove_all(checkpoint_);
    save_model(checkpoint_, model, parameters, {.end = tokenizer.end_of_document()});
    tokenizer.save(checkpoint_ / "tokenizer.model");
  }
  ReadGguf exported(const Tokenizer& tokenizer, GgufType type) {
    export_gguf(checkpoint_, tokenizer, "name", type, folder_ / "model.gguf");
    file_ = read_file(folder_ / "model.gguf");
    return GgufReader(file_).read();
  }

  TestFolder folder_;
  fs::path checkpoint_ = folder_ / "final";
  std::string file_;
};

float float_at(std::string_view bytes, size_t index) {
  float value;
  std::memcpy(&value, bytes.data() + 4 * index, 4);
  return value;
}

uint16_t word_at(std::string_view bytes, size_t index) {
  uint16_t value;
  std::memcpy(&value, bytes.data() + 2 * index, 2);
  return value;
}

TEST_F(Export, GgufHoldsTheModel) {
  const auto tokenizer = trained_bpe();
  save(*tokenizer);
  const ReadGguf gguf = exported(*tokenizer, GgufType::kF32);
  EXPECT_EQ(gguf.texts.at("general.architecture"), "llama");
  const std::map<std::string, uint32_t> numbers{
      {"llama.embedding_length", 24},    {"llama.block_count", 2},
      {"llama.attention.head_count", 2}, {"llama.attention.head_count_kv", 1},
      {"llama.feed_forward_length", 64}, {"llama.rope.dimension_count", 12},
      {"llama.context_length", 16},      {"llama.vocab_size", 360}};
  for (const auto& [key, value] : numbers) EXPECT_EQ(gguf.numbers.at(key), value) << key;
  EXPECT_EQ(gguf.floats.at("llama.rope.freq_base"), 10000.0f);
  EXPECT_EQ(gguf.floats.at("llama.attention.layer_norm_rms_epsilon"), 1e-5f);

  const std::map<std::string, std::string> names{
      {"token_embd.weight", "model.embed_tokens.weight"},
      {"output_norm.weight", "model.norm.weight"},
      {"output.weight", "lm_head.weight"},
      {"blk.1.attn_norm.weight", "model.layers.1.input_layernorm.weight"},
      {"blk.1.attn_q.weight", "model.layers.1.self_attn.q_proj.weight"},
      {"blk.1.attn_k.weight", "model.layers.1.self_attn.k_proj.weight"},
      {"blk.1.attn_v.weight", "model.layers.1.self_attn.v_proj.weight"},
      {"blk.1.attn_output.weight", "model.layers.1.self_attn.o_proj.weight"},
      {"blk.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight"},
      {"blk.1.ffn_gate.weight", "model.layers.1.mlp.gate_proj.weight"},
      {"blk.1.ffn_up.weight", "model.layers.1.mlp.up_proj.weight"},
      {"blk.0.ffn_down.weight", "model.layers.0.mlp.down_proj.weight"}};
  const SafetensorsFile source(checkpoint_ / "model.safetensors");
  EXPECT_EQ(gguf.tensors.size(), source.entries().size());
  for (const auto& [name, from] : names) {
    const ReadTensor& tensor = gguf.tensors.at(name);
    const auto& shape = source.entries().at(from).shape;
    const std::string_view bytes = source.bytes(from);
    EXPECT_EQ(tensor.extents, (std::vector<uint64_t>{shape.rbegin(), shape.rend()})) << name;
    EXPECT_EQ(tensor.type, 0u);
    EXPECT_EQ(tensor.offset % 32, 0u);
    ASSERT_EQ(tensor.bytes.size(), bytes.size());
    if (!name.ends_with("attn_q.weight") && !name.ends_with("attn_k.weight")) {
      EXPECT_EQ(tensor.bytes, bytes) << name;
      continue;
    }
    // Entries i and i + 6 of each head of 12, which are rotated together, become neighbours.
    const auto columns = static_cast<size_t>(shape[1]), rows = static_cast<size_t>(shape[0]);
    for (size_t head = 0; head < rows / 12; ++head) {
      for (size_t i = 0; i < 6; ++i) {
        for (size_t half = 0; half < 2; ++half) {
          const size_t to = head * 12 + 2 * i + half, row = head * 12 + i + 6 * half;
          EXPECT_EQ(tensor.bytes.substr(to * columns * 4, columns * 4),
                    bytes.substr(row * columns * 4, columns * 4));
        }
      }
    }
  }
}

TEST_F(Export, ATiedHeadIsNotStored) {
  const auto tokenizer = byte_tokenizer();
  save(*tokenizer, true);
  EXPECT_FALSE(exported(*tokenizer, GgufType::kF32).tensors.contains("output.weight"));
}

TEST_F(Export, MatricesInSixteenBitsAreTheNearest) {
  const auto tokenizer = byte_tokenizer();
  save(*tokenizer);
  const SafetensorsFile source(checkpoint_ / "model.safetensors");
  const std::string_view exact = source.bytes("model.embed_tokens.weight");
  for (const GgufType type : {GgufType::kF16, GgufType::kBF16}) {
    const ReadGguf gguf = exported(*tokenizer, type);
    EXPECT_EQ(gguf.numbers.at("general.file_type"), type == GgufType::kF16 ? 1u : 32u);
    EXPECT_EQ(gguf.tensors.at("output_norm.weight").type, 0u) << "norms stay FP32";
    const ReadTensor& tensor = gguf.tensors.at("token_embd.weight");
    EXPECT_EQ(tensor.type, static_cast<uint32_t>(type));
    for (size_t i = 0; i < exact.size() / 4; ++i) {
      const float value = float_at(exact, i);
      EXPECT_EQ(word_at(tensor.bytes, i),
                type == GgufType::kF16 ? fp16_bits(value) : bf16_bits(value));
    }
  }
}

TEST_F(Export, GgufHoldsTheTokenizer) {
  const auto bpe = trained_bpe();
  save(*bpe);
  const ReadGguf gguf = exported(*bpe, GgufType::kF32);
  EXPECT_EQ(gguf.texts.at("tokenizer.ggml.model"), "llama");
  const auto& pieces = gguf.text_lists.at("tokenizer.ggml.tokens");
  const auto& types = gguf.int_lists.at("tokenizer.ggml.token_type");
  const auto& scores = gguf.float_lists.at("tokenizer.ggml.scores");
  ASSERT_EQ(pieces.size(), 360u);
  ASSERT_EQ(types.size(), 360u);
  ASSERT_EQ(scores.size(), 360u);
  EXPECT_EQ((std::vector<std::string>{pieces.begin(), pieces.begin() + 4}),
            (std::vector<std::string>{"<unk>", "<s>", "</s>", "<0x00>"}));
  EXPECT_EQ((std::vector<int32_t>{types.begin(), types.begin() + 4}),
            (std::vector<int32_t>{2, 3, 3, 6}));
  for (size_t i = 259; i < 360; ++i) {
    EXPECT_EQ(types[i], 1);
    EXPECT_EQ(scores[i], -static_cast<float>(i - 259)) << "merged in the order of their ids";
  }
  for (const char* token : {"bos", "eos", "padding"})
    EXPECT_EQ(gguf.numbers.at(std::string("tokenizer.ggml.") + token + "_token_id"), 2u);
  EXPECT_EQ(gguf.numbers.at("tokenizer.ggml.unknown_token_id"), 0u);
  for (const char* key : {"tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_space_prefix"})
    EXPECT_FALSE(gguf.truths.at(key));

  const auto bytes = byte_tokenizer();
  save(*bytes);
  const ReadGguf byte_file = exported(*bytes, GgufType::kF32);
  EXPECT_EQ(byte_file.texts.at("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(byte_file.text_lists.at("tokenizer.ggml.tokens").size(), 257u);
  EXPECT_EQ(byte_file.text_lists.at("tokenizer.ggml.tokens")['A'], "A");
  EXPECT_EQ(byte_file.text_lists.at("tokenizer.ggml.merges").size(), 0u);
  EXPECT_EQ(byte_file.numbers.at("tokenizer.ggml.eos_token_id"), 256u);
}

TEST_F(Export, DirectoryForTransformersHoldsModelAndTokenizer) {
  for (const bool bytes : {false, true}) {
    const auto tokenizer = bytes ? byte_tokenizer() : trained_bpe();
    save(*tokenizer);
    const fs::path directory = folder_ / (bytes ? "bytes" : "bpe");
    export_hf(checkpoint_, *tokenizer, directory);
    EXPECT_EQ(read_file(directory / "model.safetensors"),
              read_file(checkpoint_ / "model.safetensors"));
    const auto json_in = [](const fs::path& file) {
      return parse_json(read_file(file), file.string());
    };
    Json config = json_in(directory / "config.json"), before = json_in(checkpoint_ / "config.json");
    const Json tokens = json_in(directory / "tokenizer_config.json"),
               generation = json_in(directory / "generation_config.json");
    const int end = tokenizer->end_of_document();
    for (const std::string token : {"bos_token", "eos_token", "pad_token"}) {
      EXPECT_EQ(tokens[token], bytes ? kByteEndToken : "</s>");
      EXPECT_EQ(config[token + "_id"], end);
      EXPECT_EQ(generation[token + "_id"], end);
      config.erase(token + "_id");
      before.erase(token + "_id");
    }
    EXPECT_EQ(config, before);
    EXPECT_EQ(tokens["add_bos_token"], false);
    EXPECT_EQ(tokens["add_prefix_space"], false);
    EXPECT_EQ(tokens["model_input_names"], (Json{"input_ids", "attention_mask"}));
    EXPECT_FALSE(fs::exists(directory / "README.md"));
    EXPECT_EQ(fs::exists(directory / "tokenizer.model"), !bytes);
    // The tokenizer for third-party files gives the same tokens as our own.
    const auto theirs = load_text_tokenizer(directory);
    EXPECT_EQ(theirs->vocabulary_size(), tokenizer->vocabulary_size());
    EXPECT_EQ(theirs->end_token(), tokenizer->end_of_document());
    EXPECT_EQ(theirs->begin_token(), end);
    EXPECT_FALSE(theirs->adds_begin());
    for (const std::string& text : kTexts) {
      const auto own = tokenizer->encode(text);
      EXPECT_EQ(theirs->encode(text), (std::vector<int32_t>{own.begin(), own.end()})) << text;
    }
  }
}

TEST_F(Export, RoundedWeightsAreThoseOfTheModelInUse) {
  ModelConfig shape{.width = 32, .layers = 2, .heads = 2, .kv_heads = 1, .sequence = 16};
  shape.vocabulary = 61;
  const ModelConfig config = shape.resolved();
  const Model plain(config, Recipe{});
  Parameters parameters = plain.make_parameters();
  plain.initialize(parameters, 3);
  for (const char* weights : {"3", "4+hadamard", "mxfp4", "int2"}) {
    const bool rotated = std::string(weights).ends_with("+hadamard");
    RecipeConfig named;
    named.kv = named.queries = "fp32";
    named.activations = rotated ? "fp32+hadamard" : "fp32";
    named.weights = weights;
    const Recipe recipe = make_recipe(named);
    named.activations = named.weights = "fp32";
    const Parameters rounded = rounded_parameters(config, recipe, parameters);
    Model trained(config, recipe), exact(config, make_recipe(named));
    Context context;
    std::vector<uint16_t> tokens(16), targets(16);
    for (size_t i = 0; i < 16; ++i) {
      tokens[i] = static_cast<uint16_t>(i * 7 % 61);
      targets[i] = static_cast<uint16_t>(i * 11 % 61);
    }
    const auto losses = [&](Model& model, const Parameters& own) {
      model.prepare(context, own, false);
      const ActivationsPtr activations = make_activations(model, false);
      Tensor out = Tensor::empty(DType::kF32, {16});
      model.forward(context, own, tokens, targets, *activations, out);
      return std::vector<float>(out.f32(), out.f32() + 16);
    };
    const std::vector<float> in_use = losses(trained, parameters),
                             of_others = losses(exact, rounded),
                             unrounded = losses(exact, parameters);
    double largest = 0, moved = 0;
    for (size_t i = 0; i < 16; ++i) {
      largest = std::max(largest, std::fabs(double{in_use[i]} - of_others[i]));
      moved = std::max(moved, std::fabs(double{in_use[i]} - unrounded[i]));
    }
    // Nine sums in a row of at most 97 FP32 products each, of numbers below ten; two rotations.
    EXPECT_LT(largest, 9 * 2 * 97 * 10 * 0x1p-24) << weights;
    EXPECT_GT(moved, 10 * largest) << weights;
  }
}

TEST_F(Export, WhatCannotBeExportedIsOneSentence) {
  const auto tokenizer = byte_tokenizer();
  const std::string where = checkpoint_.string();
  const auto gguf_error = [&](const Tokenizer& t, GgufType type = GgufType::kF32) {
    return error_of([&] { export_gguf(checkpoint_, t, "name", type, folder_ / "new.gguf"); });
  };
  save(*tokenizer, false, true);
  const std::string no_counterpart = where +
                                     ": a model with extra_norm has no counterpart in other "
                                     "programs and cannot be exported; train one without it";
  EXPECT_EQ(gguf_error(*tokenizer), no_counterpart);
  EXPECT_EQ(error_of([&] { export_hf(checkpoint_, *tokenizer, folder_ / "new"); }), no_counterpart);
  save(*tokenizer);
  EXPECT_EQ(gguf_error(*trained_bpe()),
            where + ": the model has a vocabulary of 257 and its tokenizer one of 360");
  save(*tokenizer, false, false, 1e9);
  EXPECT_NE(gguf_error(*tokenizer, GgufType::kF16).find("is too large for f16; export bf16 or f32"),
            std::string::npos);
  save(*tokenizer, false, false, std::numeric_limits<double>::infinity());
  EXPECT_EQ(gguf_error(*tokenizer),
            where +
                ": a weight is not finite, so the file is damaged; move the run's "
                "directory away and repeat the `bitlaw train` that made it");
  EXPECT_FALSE(fs::exists(folder_ / "new.gguf"));
  save(*tokenizer);
  folder_.write("full/notes.txt", "mine");
  EXPECT_EQ(error_of([&] { export_hf(checkpoint_, *tokenizer, folder_ / "full"); }),
            (folder_ / "full").string() + ": exists and is not empty; choose a new directory");
  EXPECT_EQ(folder_.names().size(), 6u) << "nothing was left behind";  // final/ and full/
}

}  // namespace
}  // namespace bitlaw::hf
