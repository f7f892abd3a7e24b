// The request for a plan: a law, what is free, what is fixed, and the budgets.
#pragma once

#include <string>
#include <vector>

#include "laws/registry.h"

namespace bitlaw {

struct PlanRequest {
  std::string law = default_law().name;
  std::vector<std::string> laws;    // several to compare; "all" = all with constants
  std::string constants;            // published set by name; "" = the law's first
  std::vector<std::string> free;    // of N, D, P, P_w, P_a, P_kv, P_post; empty = N, D, P not given
  double compute = 0;               // C, training FLOP at 16 bits: C = 6 N D cost(P); 0 = none
  double gpu_hours = 0;             // hours of `device`; 0 = none
  std::string device;               // "h100": its rates at 16, 8 and 4 bits
  double utilisation = 0.4;         // reached share of a device's peak
  double memory_bytes = 0;          // for serving: weights and KV cache; 0 = no limit
  double context = 0;               // tokens kept in the KV cache of a sequence
  double batch = 1;                 // sequences served at a time
  double layers = 0, kv_width = 0;  // shape of the KV cache; 0 = estimated from N
  double kv_share = 1;              // key heads per query head in that estimate
  std::string memory_counts = "file";      // what memory_bytes holds; or "weights": N P / 8 alone
  double vocabulary = 0;                   // rows of the embedding table; 0 = 32,000
  double width = 0;                        // of the model; 0 = estimated from N
  bool tied_head = false;                  // the output head is the embedding table
  std::string embedding_format = "BF16";   // a format, a number of bits or a type of GGUF
  std::string head_format;                 // "" = as the embeddings
  double scale_group = 0;                  // weights that share a scale in the file; 0 = a row
  double scale_bits = 16, zero_bits = 0;   // of a scale and of a zero point
  std::vector<std::string> storage;        // what P bits take: "4:q4_k", "3:3.4375"
  std::vector<std::string> entropy_coded;  // "gaussian", or measured entropies, "4:3.1"
  double serve_tokens = 0;              // T over the model's life: 2 N T cost(P) on top of training
  double params = 0;                    // N; 0 = not given
  double tokens = 0;                    // D; 0 = not given
  double tokens_per_param = 0;          // D / N; 0 = not given
  double unique_tokens = 0;             // distinct tokens available; 0 = enough
  std::vector<std::string> inputs;      // of a law made from a formula: "experts=8"
  double group = 0;                     // entries that share a scale, for laws that use it
  std::vector<double> bits;             // P; empty = not given: free, or 16
  double key_bits = 0, value_bits = 0;  // apart; 0 = as bits
  double embedding_bits = 0, head_bits = 0;  // in training; 0 = not quantized
  std::string precision;                     // or by name (formats/precision.h), "W4A4", or a class
  double post_bits = 0;                      // of the weights after PTQ; 0 = none
  bool tied = true;                          // a free P is one number for all three parts
  std::vector<double> available_bits;        // a free P takes one of these; empty = any in [1, 32]
  bool integer_bits = false;                 // shorthand for all whole numbers up to 16
  std::vector<std::string> formats;          // a free precision is one of these formats or classes
  std::string cost = "linear";               // of `compute`: or speed-ups by bits, "16:1,8:2,4:4"
  bool critical_data = false;                // D beyond which training hurts after PTQ
  double inference_budget = 0;               // N P_post, bits of weights to serve; 0 = none
  std::string frontier;  // "bytes=4e6..1e12": for make_frontier (plan/frontier.h)

  template <class V>
  void visit(V& v) {
    v("law", law, "law to plan with");
    v("laws", laws, "several laws whose answers are compared, or all");
    v("constants", constants, "published set of constants; empty = the law's first set");
    v("free", free,
      "variables to optimize: N, D, P (or P_w, P_a, P_kv), P_post; empty = N, D and P where not "
      "given");
    v("compute", compute, "training budget in FLOP at 16 bits, C = 6 N D cost(P)");
    v("gpu_hours", gpu_hours, "budget in hours of a device");
    v("device", device, "the device of gpu_hours, such as h100");
    v("utilisation", utilisation, "share of the device's peak rate that is reached");
    v("memory_bytes", memory_bytes, "memory for weights and KV cache when serving");
    v("context", context, "tokens in the KV cache of one sequence");
    v("batch", batch, "sequences served at a time");
    v("layers", layers, "layers of the model, for its KV cache; 0 = estimated from N");
    v("kv_width", kv_width, "width of the keys of a layer; 0 = estimated from N");
    v("kv_share", kv_share, "key heads per query head, if the shape is estimated");
    v("memory_counts", memory_counts,
      "what memory_bytes holds: file (embeddings, head and scales, too) or weights (N P / 8)");
    v("vocabulary", vocabulary, "rows of the embedding table; 0 = 32,000");
    v("width", width, "width of the model, for its embeddings; 0 = estimated from N");
    v("tied_head", tied_head, "the output head is the embedding table");
    v("embedding_format", embedding_format,
      "embeddings in the file: a format, a number of bits or a type of GGUF (q6_k)");
    v("head_format", head_format, "output head in the file; empty = as the embeddings");
    v("scale_group", scale_group,
      "weights that share a scale in the file, if no format says so; 0 = a row");
    v("scale_bits", scale_bits, "bits of such a scale");
    v("zero_bits", zero_bits, "bits of its zero point; 0 = none");
    v("storage", storage, "what a weight of P bits takes in the file: 4:q4_k,3:3.4375");
    v("entropy_coded", entropy_coded,
      "codes take their entropy: gaussian, or measured as 4:3.1,3:2.4 (or a file of counts)");
    v("serve_tokens", serve_tokens, "tokens served over the model's life, 2 N T cost(P)");
    v("params", params, "parameters N; 0 = not given");
    v("tokens", tokens, "tokens D; 0 = not given");
    v("tokens_per_param", tokens_per_param, "tokens per parameter D / N; 0 = not given");
    v("unique_tokens", unique_tokens, "distinct tokens available, for laws of repeated data");
    v("inputs", inputs, "values of the inputs of a law made from a formula: experts=8");
    v("group", group, "entries that share a scale, for laws that ask for it");
    v("bits", bits,
      "precision P: one number, or weights, activations, KV; with critical_data the list of "
      "P_post");
    v("key_bits", key_bits, "bits of keys, apart from values; 0 = as bits says");
    v("value_bits", value_bits, "bits of values, apart from keys; 0 = as bits says");
    v("embedding_bits", embedding_bits,
      "bits of embeddings in training, for laws that have them; 0 = 16");
    v("head_bits", head_bits,
      "bits of the output head in training, for laws that have them; 0 = 16");
    v("precision", precision, "precision P by name: W4A4, W3A16g128, mxfp4");
    v("post_bits", post_bits, "bits of the weights after post-training quantization; 0 = none");
    v("tied", tied, "one precision for weights, activations and KV if P is free");
    v("available_bits", available_bits, "precisions the hardware has; empty = any");
    v("integer_bits", integer_bits, "whole bits only, 1 to 16");
    v("formats", formats, "precisions to choose from, by name: W4A4, e4m3, mxfp4, BF16");
    v("cost", cost, "cost of P bits: linear, or speed-ups such as 16:1,8:2,4:4");
    v("critical_data", critical_data,
      "report the tokens beyond which more training makes the quantized model worse");
    v("inference_budget", inference_budget, "bits of weights to serve, N P_post");
    v("frontier", frontier,
      "the best N and bits for every number of bytes of a range: bytes=4e6..1e12");
  }
};

}  // namespace bitlaw
