// The shapes and recipes of all benchmarks of the training step.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "formats/recipe.h"
#include "train/trainer.h"

namespace bitlaw::bench {

struct Shape {
  const char* name;
  int64_t width, layers, heads, kv_heads, sequence, vocabulary;
  int64_t step_tokens;
  int64_t hidden = 0;  // 0: the default; others as when docs/performance.md was measured
};
inline constexpr Shape kShapes[] = {
    {"S", 64, 2, 2, 2, 256, 2048, 8192, 176},   // N 0.1 M
    {"M", 96, 3, 3, 3, 256, 2048, 8192},        // N 0.3 M
    {"A", 128, 4, 4, 4, 256, 4096, 16384},      // N 0.8 M
    {"B", 256, 6, 4, 4, 256, 4096, 8192, 688},  // N 4.8 M
    {"C", 512, 8, 8, 8, 512, 8192, 4096},       // N 26 M
    // N 33 M, grouped queries, long sequences, a large vocabulary
    {"D", 512, 12, 8, 2, 1024, 32768, 4096},
    // Where a study lives: N 27 k to 885 k, head width 32, a small vocabulary, few tokens a step.
    {"W32", 32, 2, 1, 1, 128, 512, 1024},
    {"W64", 64, 2, 2, 2, 128, 512, 2048, 176},
    {"W96", 96, 2, 3, 3, 128, 512, 4096},
    {"W128", 128, 2, 4, 4, 128, 512, 4096},
    {"W192", 192, 2, 6, 6, 128, 512, 4096},
};

struct Case {
  const char* name;
  RecipeConfig config;
  DType gradient_dtype = DType::kBF16;  // kF32: the reference mode, no rounding at all
};
// w weights, a activations, kv keys and values; what is not named is BF16. "tensor", "channel",
// "token", "sequence", "batch" and "groupG" say what shares a scale; the default is per channel for
// weights and per sequence for the rest (weights have no tokens, so they stay per channel). A block
// format has its own blocks.
inline std::vector<Case> recipes() {
  const auto bits = [](const char* w, const char* a, const char* kv, const char* w_share,
                       const char* a_share, const char* kv_share) {
    return RecipeConfig{.weights = w,
                        .activations = a,
                        .kv = kv,
                        .weights_granularity = w_share,
                        .activations_granularity = a_share,
                        .kv_granularity = kv_share};
  };
  const auto block = [](const char* format) {
    return RecipeConfig{.weights = format, .activations = format, .kv = format};
  };
  return {
      {"bf16", {}},
      {"fp32", {.weights = "32", .activations = "32", .kv = "32", .queries = "32"}, DType::kF32},
      {"w4a4kv4", bits("4", "4", "4", "channel", "sequence", "sequence")},
      {"w4a4kv4-tensor", bits("4", "4", "4", "tensor", "sequence", "sequence")},
      {"w4a4kv4-batch", bits("4", "4", "4", "channel", "batch", "batch")},
      {"w4a4kv4-token", bits("4", "4", "4", "channel", "token", "token")},
      {"w2a2kv2", bits("2", "2", "2", "channel", "sequence", "sequence")},
      {"w8a8kv8", bits("8", "8", "8", "channel", "sequence", "sequence")},
      {"e2m1", bits("e2m1", "e2m1", "e2m1", "channel", "token", "token")},
      {"e4m3", bits("e4m3", "e4m3", "e4m3", "channel", "sequence", "sequence")},
      {"w4-group32", bits("4", "16", "16", "group32", "sequence", "sequence")},
      {"w4-group128", bits("4", "16", "16", "group128", "sequence", "sequence")},
      {"w4a4-channel", bits("4", "4", "16", "channel", "channel", "sequence")},
      {"w4a4-group32", bits("4", "4", "16", "group32", "group32", "sequence")},
      {"w4a4-group64", bits("4", "4", "16", "group64", "group64", "sequence")},
      {"w4a4-group128", bits("4", "4", "16", "group128", "group128", "sequence")},
      {"e4m3-group32", bits("e4m3", "e4m3", "16", "group32", "group32", "sequence")},
      {"kv4-channel", bits("16", "16", "4", "channel", "sequence", "channel")},
      {"kv4-group32", bits("16", "16", "4", "channel", "sequence", "group32")},
      {"w4a4kv4-channel", bits("4", "4", "4", "channel", "channel", "channel")},
      {"w4a4kv4-group32", bits("4", "4", "4", "group32", "group32", "group32")},
      {"w4a4kv4-group64", bits("4", "4", "4", "group64", "group64", "group64")},
      {"w4a4kv4-group128", bits("4", "4", "4", "group128", "group128", "group128")},
      {"w12a12", bits("12", "12", "16", "channel", "sequence", "sequence")},
      {"int16", bits("int16", "int16", "16", "channel", "sequence", "sequence")},
      {"w12a12-group32", bits("12", "12", "16", "group32", "group32", "sequence")},
      {"kv12", bits("16", "16", "12", "channel", "sequence", "sequence")},
      {"w12a12kv12", bits("12", "12", "12", "channel", "sequence", "sequence")},
      {"mxfp4", block("mxfp4")},
      {"mxfp6-e2m3", block("mxfp6-e2m3")},
      {"mxfp6-e3m2", block("mxfp6-e3m2")},
      {"mxfp8-e4m3", block("mxfp8-e4m3")},
      {"mxint8", block("mxint8")},
      {"nvfp4", block("nvfp4")},
      {"int4-e8m0-group32",
       bits("int4-e8m0", "int4-e8m0", "int4-e8m0", "group32", "group32", "group32")},
      {"int4-e4m3-group32",
       bits("int4-e4m3", "int4-e4m3", "int4-e4m3", "group32", "group32", "group32")},
      {"int8-e4m3-group32", bits("int8-e4m3", "int8-e4m3", "16", "group32", "group32", "sequence")},
      {"w4a4-hadamard", bits("4+hadamard", "4+hadamard", "16", "channel", "token", "sequence")},
      {"w4a4-gauss", bits("4+gauss", "4+gauss", "16", "channel", "token", "sequence")},
      {"w4-clip", bits("4+clip", "4", "16", "channel", "token", "sequence")},
      {"w4a4-clip", bits("4+clip", "4+clip", "16", "channel", "token", "sequence")},
      {"mxfp4-clip", {.weights = "mxfp4+clip", .activations = "mxfp4+clip"}},
      {"nvfp4-clip", {.weights = "nvfp4+clip", .activations = "nvfp4+clip"}},
      {"kv4-hadamard", {.kv = "4+hadamard", .queries = "kv", .kv_granularity = "token"}},
      {"quest-w4a4", {.named = "quest-w4a4"}},
      {"quartet-forward", {.named = "quartet-forward-mxfp4"}},
  };
}

// The entries of `table` that a comma-separated list names, in the order of the list. "all": all.
template <class Table>
auto chosen(const Table& table, const std::string& list, const char* what) {
  std::vector<std::decay_t<decltype(*std::begin(table))>> out;
  std::string known;
  for (const auto& entry : table) known += (known.empty() ? "" : ", ") + std::string(entry.name);
  for (const std::string& name : split(list, ',')) {
    bool found = false;
    for (const auto& entry : table) {
      if (name != "all" && name != entry.name) continue;
      out.push_back(entry);
      found = true;
    }
    if (!found) throw Error(fmt::format("unknown {} '{}'; known: {}, all", what, name, known));
  }
  return out;
}

inline TrainerOptions trainer_options(const Shape& shape, const Case& recipe, int threads) {
  ModelConfig model;
  model.width = shape.width;
  model.layers = shape.layers;
  model.heads = shape.heads;
  model.kv_heads = shape.kv_heads;
  model.hidden = shape.hidden;
  model.sequence = shape.sequence;
  model.vocabulary = shape.vocabulary;
  return {.model = model.resolved(),
          .recipe = make_recipe(recipe.config),
          .batch_sequences = shape.step_tokens / shape.sequence,
          .lanes = 4,
          .gradient_dtype = recipe.gradient_dtype,
          .threads = threads};
}

inline SequenceSource random_tokens(const TrainerOptions& options) {
  const auto V = static_cast<uint64_t>(options.model.vocabulary);
  const int64_t sequences = options.batch_sequences;
  return [V, sequences](int64_t step, int64_t index, std::span<uint16_t> tokens) {
    for (size_t t = 0; t < tokens.size(); ++t) {
      const uint64_t place = static_cast<uint64_t>(step * sequences + index) * tokens.size() + t;
      tokens[t] = static_cast<uint16_t>(random_below(1, 0, place, V));
    }
  };
}

}  // namespace bitlaw::bench
