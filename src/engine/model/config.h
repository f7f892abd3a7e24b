// The shape of a Llama-style decoder, and the counts that follow from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"

namespace bitlaw {

struct ModelConfig {
  int64_t width = 64;      // d, of the residual stream
  int64_t layers = 2;      // L
  int64_t heads = 2;       // H; width / heads is the head dimension, even
  int64_t kv_heads = 0;    // G divides H; 0 means H
  int64_t hidden = 0;      // F of SwiGLU; 0 means 8/3 width rounded up to a multiple of 32 or 16
  int64_t vocabulary = 0;  // V; 0 means the data set's
  int64_t sequence = 256;  // T
  bool tied_head = false;  // the output head is the embedding table
  // One more RMSNorm before the attention output and the down projection, so that every quantized
  // projection has one before it.
  bool extra_norm = false;
  double rope_theta = 10000;
  double norm_epsilon = 1e-5;

  template <class Visitor>
  void visit(Visitor& v) {
    v("width", width, "width of the residual stream, d");
    v("layers", layers, "number of layers, L");
    v("heads", heads, "attention heads, H; width / heads must be even");
    v("kv_heads", kv_heads,
      "heads of keys and values (grouped-query attention); 0: as many as heads");
    v("hidden", hidden,
      "width of the SwiGLU hidden layer; 0: 8/3 width, rounded up to a multiple of 32 if width is "
      "one, else of 16");
    v("vocabulary", vocabulary, "vocabulary size; 0: that of the data set");
    v("sequence", sequence, "tokens per sequence, T");
    v("tied_head", tied_head, "use the embedding table as the output head");
    v("extra_norm", extra_norm,
      "one more norm before the attention output and down projections, as in Kumar et al.");
    v("rope_theta", rope_theta, "base of the rotary frequencies");
    v("norm_epsilon", norm_epsilon, "added to the mean square in norms");
  }

  int64_t head_dim() const { return width / heads; }
  // Replaces zeros by their meaning and checks the result. Error, naming the key and the rule.
  ModelConfig resolved(int64_t data_vocabulary = 0) const;

  // The functions below need a resolved configuration.
  int64_t matrix_parameters() const;  // of the layers' projections only
  // N: projections and norms of the layers, without embeddings, final norm and output head.
  int64_t parameters() const;
  int64_t parameters_with_embeddings() const;  // all
  // FLOP per token of the matrix products of one training step, forward and backward (a
  // multiply-add counts as two), averaged over the T tokens of a sequence. Attention counts only
  // the T (T + 1) / 2 causal pairs:
  //   6 (matrix_parameters + V d) + 6 L (T + 1) d
  double training_flops_per_token() const;
};

}  // namespace bitlaw
