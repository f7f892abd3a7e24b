// A Llama-style decoder: its shape, and what follows from the shape alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"

namespace bitlaw {

struct ModelConfig {
  int64_t width = 64;       // d, of the residual stream
  int64_t layers = 2;       // L
  int64_t heads = 2;        // H; width / heads is the head dimension, even
  int64_t kv_heads = 0;     // G divides H; 0 stands for H
  int64_t hidden = 0;       // F of SwiGLU; 0 stands for 8/3 width rounded up to a multiple of 16
  int64_t vocabulary = 0;   // V; 0 stands for the data set's
  int64_t sequence = 256;   // T
  bool tied_head = false;   // the output head is the embedding table
  bool extra_norm = false;  // one more RMSNorm before the attention output and the down projection
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
      "width of the SwiGLU hidden layer; 0: 8/3 width, rounded up to a multiple of 16");
    v("vocabulary", vocabulary, "tokens of the vocabulary; 0: the data set's");
    v("sequence", sequence, "tokens of a sequence, T");
    v("tied_head", tied_head, "use the embedding table as the output head");
    v("extra_norm", extra_norm, "one more norm before the attention output and down projections");
    v("rope_theta", rope_theta, "base of the rotary frequencies");
    v("norm_epsilon", norm_epsilon, "added to the mean square in norms");
  }

  int64_t head_dim() const { return width / heads; }
  // Zeros replaced by what they stand for, and checked: an Error names the key and the rule.
  ModelConfig resolved(int64_t data_vocabulary = 0) const;

  // The counts below want a resolved configuration.
  int64_t matrix_parameters() const;  // of the layers' projections alone
  int64_t parameters() const;  // N: of the layers, projections and norms; what stands before and
                               // after them (embeddings, final norm, output head) is not in it
  int64_t parameters_with_embeddings() const;  // all
  // Multiply-adds times two of the matrix products of one training step per token, forward and
  // backward, averaged over the T tokens of a sequence; attention counts the causal pairs only,
  // T (T + 1) / 2 of them:
  //   6 (matrix_parameters + V d) + 6 L (T + 1) d
  double training_flops_per_token() const;
};

}  // namespace bitlaw
