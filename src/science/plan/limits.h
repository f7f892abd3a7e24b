// What a plan may spend, and on what:
//
//   training and serving   N (6 D cost(P) + 2 T cost(P_serve)) <= C       for each compute budget
//   memory when serving    model file + KV cache <= M            plan/model_file.h
//   KV cache               2 (layers x width of keys) x context x batch x P_kv / 8     bytes
//
// T tokens are served over the life of the model, at its precision after quantization. GPU hours
// are a compute budget, C = hours x 3600 x rate at 16 bits x utilisation, with the costs of a
// device. If the model's shape is not given, layers x width is estimated for a decoder 128
// times as wide as deep: N = 12 layers width^2, hence layers x width = 128 (N / 196608)^(2/3).
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "plan/cost.h"
#include "plan/model_file.h"

namespace bitlaw {

struct ComputeBudget {
  std::string name;   // "compute", "gpu_hours": the field of the request
  double amount = 0;  // in the unit of the request
  double flop = 0;    // C, at 16 bits
  CostModel cost;
};

struct Serving {
  double tokens = 0;        // T; 0 = no serving
  double memory_bytes = 0;  // M; 0 = no limit
  double context = 0;       // tokens in the cache
  double batch = 1;         // sequences at a time
  double kv_entries = 0;    // layers x width of keys; 0 = estimated from N ...
  double kv_share = 1;      // ... times this: key heads / query heads
};

// How much of one budget a point uses.
struct Use {
  std::string name;
  double amount, used;
  bool binds() const { return used >= amount * (1 - 1e-6); }
};

struct Limits {
  std::vector<ComputeBudget> compute;
  Serving serving;
  ModelFile file;

  bool none() const { return compute.empty() && !(serving.memory_bytes > 0); }

  // The largest D for this N; below 1 if there is none, infinite without budgets.
  double most_tokens(double params, const Precision& precision, double post_bits) const;
  // The largest N that can be trained on `tokens` (at least 1) and served.
  double most_params(double tokens, const Precision& precision, double post_bits) const;
  // The same on `ratio` N tokens.
  double most_params_at_ratio(double ratio, const Precision& precision, double post_bits) const;
  double most_params_in_memory(const Precision& precision, double post_bits) const;
  // The minimum over budgets of C / (6 cost): N D if serving is free.
  double product(const Precision& precision) const;

  double memory_bytes(double params, const Precision& precision, double post_bits) const;
  double kv_bytes(double params, const Precision& precision) const;
  std::vector<Use> uses(double params, double tokens, const Precision& precision,
                        double post_bits) const;
};

}  // namespace bitlaw
