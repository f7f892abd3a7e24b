// The answer of a plan, as numbers. Losses in nats per token.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/request.h"
#include "predict/predict.h"

namespace bitlaw {

// The optimum and its costs. An empty optional is a number that was not requested or that the law
// does not have.
struct PlanOptimum {
  double params = kUnknown, tokens = kUnknown, tokens_per_param = kUnknown;  // N, D, D / N
  double bits_weights = kUnknown, bits_activations = kUnknown, bits_kv = kUnknown;
  std::optional<double> post_bits;
  std::optional<double> effective_params;  // N_eff
  std::optional<double> compute;           // FLOP at 16 bits
  std::optional<double> serving_compute, gpu_hours, memory_bytes, kv_bytes;
  std::optional<double> embedding_bytes, weight_bits, total_params;  // of a whole file
  std::optional<double> qat_share, qat_tokens;  // of a law that predicts that share
  std::optional<double> delta, loss;
  std::string precision;  // its name, if precisions were given by name

  // v(name, field, meaning) for every number in display order. The names are those of documents,
  // tables and messages.
  template <class V>
  void visit(V& v) {
    v("N", params, "parameters");
    v("D", tokens, "training tokens");
    v("tokens_per_param", tokens_per_param, "tokens per parameter");
    v("P_w", bits_weights, "bits of weights");
    v("P_a", bits_activations, "bits of activations");
    v("P_kv", bits_kv, "bits of keys and values");
    v("P_post", post_bits, "bits of weights after training");
    v("N_eff", effective_params, "effective parameters");
    v("compute", compute, "training cost");
    v("serving_compute", serving_compute, "cost of serving");
    v("gpu_hours", gpu_hours, "total device time");
    v("memory_bytes", memory_bytes, "memory when serving");
    v("kv_bytes", kv_bytes, "KV cache, part of the memory");
    v("embedding_bytes", embedding_bytes, "embeddings and head, part of the memory");
    v("weight_bits", weight_bits, "bits per weight in the file, with scales");
    v("N_total", total_params, "parameters with embeddings and head");
    v("qat_share", qat_share, "best share of the tokens with quantization");
    v("qat_tokens", qat_tokens, "tokens with quantization");
    v("delta", delta, "loss added by quantization after training, nats");
    v("loss", loss, "predicted loss, nats per token");
  }

  // By one of these names; empty if there is no such number.
  std::optional<double> find(std::string_view name) const;
};

// Calls each(name, value, meaning) for the numbers that are present.
template <class Each>
void for_each_number(const PlanOptimum& optimum, const Each& each) {
  auto present = [&each](const char* name, const std::optional<double>& value,
                         const char* meaning) {
    if (value) each(name, *value, meaning);
  };
  const_cast<PlanOptimum&>(optimum).visit(present);
}

// 90 % of a fit's draws; of somewhat more with few clusters, as in the fit's own intervals.
struct PlanInterval {
  double low, high;
};

// Changes of an answer; 0 = below the resolution of a search.
struct PlanMoves {
  double log_params = 0, log_tokens = 0;
  double bits_weights = 0, bits_activations = 0, bits_kv = 0, post_bits = 0;
  double loss = 0;

  template <class V>
  void visit(V& v) {
    v("log_N", log_params);
    v("log_D", log_tokens);
    v("P_w", bits_weights);
    v("P_a", bits_activations);
    v("P_kv", bits_kv);
    v("P_post", post_bits);
    v("loss", loss);
  }
};

// The sensitivity of an answer to a constant of the law (plan/sensitivity.h). Empty: the constant is
// 0, or the fit has too few draws for a standard error.
struct PlanSensitivity {
  double value = kUnknown;    // of the constant
  double standard_error = 0;  // of the constant; 0 = unknown
  std::optional<PlanMoves> per_percent, per_standard_error;
};
using PlanSensitivities = std::map<std::string, PlanSensitivity>;  // by the constant's name

struct PlanBudget {
  std::string name;  // "compute", "gpu_hours" or "memory_bytes", in the units of the request
  double amount, used;
  bool binds;
  double loss_per_percent;  // change of the loss for 1 % more
};

// Tokens beyond which more training makes the model worse after quantization to these bits.
struct CriticalData {
  double params, bits;
  double tokens = kUnknown, tokens_per_param = kUnknown;  // NaN: more data never hurts
  std::optional<PlanInterval> interval;                   // of tokens
  PlanSensitivities sensitivity;                          // of tokens only
};

struct Plan {
  std::string error;        // one sentence, and nothing else: the request is invalid
  std::string law, source;  // the law and its constants: "published ..." or "fit of N points"
  bool knows_bits = true;   // the law's training loss depends on bits
  PlanRequest request;      // as resolved

  std::optional<PlanOptimum> optimum;
  // By the number's name, without those that the request fixes; empty if the fit has no draws.
  std::optional<std::map<std::string, PlanInterval>> intervals;
  std::optional<Prediction> next_run;     // the optimum as a run, with both intervals of its loss
  std::map<std::string, double> choices;  // share of the draws that choose a precision of a list
  PlanSensitivities sensitivity;
  std::optional<std::vector<PlanBudget>> budgets;  // of a plan under budgets
  std::string binding;                             // which of them limits the answer; "" = none
  std::vector<CriticalData> critical_data;         // a row for each requested P_post

  // Whose the best bits are: law and cost; "" if bits are not free.
  std::string convention;
  std::vector<std::string> notes;  // caveats: frozen constants, extrapolation
  int64_t evaluations = 0;         // of the law, in total
};

// One request answered by several laws and fits.
struct NamedPlan {
  std::string name;  // of the law, numbered if it occurs twice
  Plan plan;
};
struct SkippedLaw {
  std::string law, why;
};
// One number in all plans.
struct PlanAgreement {
  bool agree = false;
  double low = kUnknown, high = kUnknown;
  std::string lowest, highest;         // the plans they are from
  std::optional<double> ratio, apart;  // high / low of an amount, high - low of bits
};

struct PlanComparison {
  std::string error;  // one sentence, and nothing else: no law answers
  std::vector<NamedPlan> plans;
  std::vector<SkippedLaw> skipped;
  std::map<std::string, PlanAgreement> agreement;  // by the number's name
  std::string verdict;
  std::vector<std::string> notes;  // why losses are, or are not, compared
};

}  // namespace bitlaw
