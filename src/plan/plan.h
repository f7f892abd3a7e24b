// From the constants of a law to a decision: how many parameters, tokens and bits to spend a budget
// on. A PlanRequest goes in, one JSON document comes out; the command line, the web page and Python
// all use these two functions. Nothing here throws, reads files or starts threads (it compiles to
// WebAssembly).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace bitlaw {

struct PlanRequest {
  std::string law = "kumar";
  std::string constants;                         // published set by name; "" = the law's first
  std::vector<std::string> free{"N", "D", "P"};  // of N, D, P, P_w, P_a, P_kv
  double compute = 0;                  // C, training FLOP at 16 bits: C = 6 N D cost(P); 0 = none
  double params = 0;                   // N where it is not free
  double tokens = 0;                   // D where it is not free
  std::vector<double> bits;            // P where it is not free; empty = 16
  double post_bits = 0;                // weights quantized after training; 0 = not
  bool tied = true;                    // a free P is one number for all three parts
  std::vector<double> available_bits;  // a free P takes one of these; empty = any in [1, 32]
  std::string cost = "linear";         // or speed-ups by bits, "16:1,8:2,4:4"
  bool critical_data = false;          // tokens past which quantization spoils the gain
  double inference_budget = 0;         // N P_post, bits of weights to serve; 0 = none

  template <class V>
  void visit(V& v) {
    v("law", law, "law to plan with");
    v("constants", constants, "published set of constants; empty = the law's first");
    v("free", free, "what may be chosen, of N, D, P (or P_w, P_a, P_kv)");
    v("compute", compute, "training budget in FLOP at 16 bits, C = 6 N D cost(P)");
    v("params", params, "parameters N, where not free");
    v("tokens", tokens, "tokens D, where not free");
    v("bits", bits,
      "precision where not free: one number, or weights, activations, KV; with critical_data the "
      "list "
      "of P_post");
    v("post_bits", post_bits, "bits of the weights after post-training quantization; 0 = none");
    v("tied", tied, "one precision for weights, activations and KV where P is free");
    v("available_bits", available_bits, "precisions the hardware has; empty = any");
    v("cost", cost, "cost of P bits: linear, or speed-ups such as 16:1,8:2,4:4");
    v("critical_data", critical_data,
      "tokens past which post-training quantization spoils the gain");
    v("inference_budget", inference_budget, "bits of weights to serve, N P_post");
  }
};

// The plan as one document:
//   .law .source         what was planned with: "published ..." or "fit of N points"
//   .request             the request as resolved
//   .optimum             N D P_w P_a P_kv [P_post] loss [delta] N_eff tokens_per_param compute
//   .intervals.NAME      low, high: 5 % and 95 % over the fit's bootstrap draws, where it has any
//   .critical_data[]     params bits tokens tokens_per_param [low high], where asked for
//   .notes[]             what the reader must know: frozen constants, extrapolation
//   .error               one sentence, and nothing else in the document: the request makes no sense
// `fit`: a document of fit_to_json, or null for published constants. Losses in nats per token.
Json make_plan(const PlanRequest& request, const Json& fit = nullptr);

// The same document as a table for a terminal.
std::string plan_text(const Json& plan);

}  // namespace bitlaw
