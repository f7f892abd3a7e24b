#include "model/config.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr int64_t kLargestVocabulary = 65536;  // tokens are 16 bits

void check_range(const char* key, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high) {
    throw Error(fmt::format("model.{} = {}: expected {} to {}", key, value, low, high));
  }
}

// 8/3 width, rounded up to a multiple of 16; of 32 where blocks of 32 divide the width, too: llama.cpp
// quantizes rows of a matrix in such blocks, and leaves a matrix with other rows at 16 bits.
int64_t default_hidden(int64_t width) {
  const int64_t exact = (8 * width + 2) / 3, multiple = width % 32 == 0 ? 32 : 16;
  return (exact + multiple - 1) / multiple * multiple;
}

}  // namespace

ModelConfig ModelConfig::resolved(int64_t data_vocabulary) const {
  check_range("width", width, 2, 1 << 16);
  check_range("layers", layers, 1, 1 << 10);
  check_range("heads", heads, 1, width / 2);
  if (width % heads != 0 || head_dim() % 2 != 0) {
    throw Error(
        fmt::format("model.heads = {}: width / heads must be an even whole number, but width is {}",
                    heads, width));
  }
  ModelConfig out = *this;
  if (out.kv_heads == 0) out.kv_heads = heads;
  check_range("kv_heads", out.kv_heads, 1, heads);
  if (heads % out.kv_heads != 0) {
    throw Error(
        fmt::format("model.kv_heads = {}: must divide model.heads = {}", out.kv_heads, heads));
  }
  if (out.hidden == 0) out.hidden = default_hidden(width);
  check_range("hidden", out.hidden, 1, 1 << 20);
  if (out.vocabulary == 0) out.vocabulary = data_vocabulary;
  if (out.vocabulary == 0) {
    throw Error(
        "model.vocabulary = 0 means the vocabulary of the data set, but there is no data set; set "
        "it");
  }
  check_range("vocabulary", out.vocabulary, 2, kLargestVocabulary);
  if (out.vocabulary < data_vocabulary) {
    throw Error(fmt::format(
        "model.vocabulary = {}: the data set has {} tokens; set it to 0 or to at least that",
        out.vocabulary, data_vocabulary));
  }
  check_range("sequence", sequence, 1, 1 << 20);
  if (!(rope_theta >= 1) || !std::isfinite(rope_theta)) {
    throw Error(
        fmt::format("model.rope_theta = {}: expected a finite number of at least 1", rope_theta));
  }
  if (!(norm_epsilon > 0) || !(norm_epsilon < 1)) {
    throw Error(
        fmt::format("model.norm_epsilon = {}: expected a number between 0 and 1", norm_epsilon));
  }
  return out;
}

int64_t ModelConfig::matrix_parameters() const {
  const int64_t qkv = (heads + 2 * kv_heads) * head_dim() * width;
  const int64_t output = width * width;
  const int64_t gate_up = 2 * hidden * width;
  const int64_t down = width * hidden;
  return layers * (qkv + output + gate_up + down);
}

int64_t ModelConfig::parameters() const {
  const int64_t layer_norms = 2 * width + (extra_norm ? width + hidden : 0);
  return matrix_parameters() + layers * layer_norms;
}

int64_t ModelConfig::parameters_with_embeddings() const {
  return parameters() + width + (tied_head ? 1 : 2) * vocabulary * width;
}

double ModelConfig::training_flops_per_token() const {
  // Forward once, backward twice (input and weight gradients; in attention both operands'
  // gradients).
  const double products = static_cast<double>(matrix_parameters() + vocabulary * width);
  const double attention =
      static_cast<double>(layers * (sequence + 1) * width);  // scores and values
  return 6 * products + 6 * attention;
}

}  // namespace bitlaw
