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
  double serve_tokens = 0;          // T over the model's life: 2 N T cost(P) on top of training
  double params = 0;                // N; 0 = not given
  double tokens = 0;                // D; 0 = not given
  double unique_tokens = 0;         // distinct tokens available; 0 = enough
  double group = 0;                 // entries that share a scale, for laws that use it
  std::vector<double> bits;         // P; empty = not given: free, or 16
  std::string precision;            // or by name (formats/precision.h), "W4A4", or a class
  double post_bits = 0;             // of the weights after PTQ; 0 = none
  bool tied = true;                 // a free P is one number for all three parts
  std::vector<double> available_bits;  // a free P takes one of these; empty = any in [1, 32]
  bool integer_bits = false;           // shorthand for all whole numbers up to 16
  std::vector<std::string> formats;    // a free precision is one of these formats or classes
  std::string cost = "linear";         // of `compute`: or speed-ups by bits, "16:1,8:2,4:4"
  bool critical_data = false;          // D beyond which training hurts after PTQ
  double inference_budget = 0;         // N P_post, bits of weights to serve; 0 = none

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
    v("serve_tokens", serve_tokens, "tokens served over the model's life, 2 N T cost(P)");
    v("params", params, "parameters N; 0 = not given");
    v("tokens", tokens, "tokens D; 0 = not given");
    v("unique_tokens", unique_tokens, "distinct tokens available, for laws of repeated data");
    v("group", group, "entries that share a scale, for laws that ask for it");
    v("bits", bits,
      "precision P: one number, or weights, activations, KV; with critical_data the list of "
      "P_post");
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
  }
};

}  // namespace bitlaw
