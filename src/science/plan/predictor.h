// A law with its constants as a function of the variables of a plan: N, D, precision in training
// and after it. Losses in nats per token.
#pragma once

#include <cstdint>
#include <vector>

#include "laws/effective.h"
#include "laws/fixed_params.h"
#include "plan/precision.h"

namespace bitlaw {

// Further inputs of some laws, the same for every point of a plan.
struct Surroundings {
  double unique_tokens = 0;  // distinct tokens available; 0 = all training tokens
  double group = 0;          // entries that share a scale; 0 = unknown
  double bits_keys = kUnknown, bits_values = kUnknown;  // apart; NaN = as the KV's
  double bits_embedding = kUnknown, bits_head = kUnknown;
  FixedParams fixed = {};               // what N has that no precision shrinks, if N counts it
  std::vector<NamedInput> inputs = {};  // of a law made from a formula
};

// Refers to its arguments, which must outlive it. Counts losses and deltas, because evaluations of
// the law dominate the cost of planning. Not thread-safe.
class Predictor {
 public:
  Predictor(const Law& law, const double* values, const Surroundings& surroundings)
      : law_(law), values_(values), surroundings_(surroundings) {
    run_.inputs = surroundings.inputs;
  }

  const Law& law() const { return law_; }
  const double* values() const { return values_; }
  const Surroundings& surroundings() const { return surroundings_; }

  // The run that the others below predict.
  Observation run(double params, double tokens, const Precision& precision,
                  double post_bits) const {
    return observe(params, tokens, precision, post_bits);
  }
  // post_bits = 0 means no post-training quantization. NaN if the law cannot predict it.
  double loss(double params, double tokens, const Precision& precision, double post_bits) const;
  double delta(double params, double tokens, const Precision& precision, double post_bits) const;
  // N_eff / N, P* and D_crit, from laws/effective.h.
  double share(double params, double tokens, const Precision& precision) const;
  double best_bits(double compute) const;
  double critical_tokens(double params, double post_bits) const;

  int64_t evaluations() const { return evaluations_; }

 private:
  const Observation& observe(double params, double tokens, const Precision& precision,
                             double post_bits) const;

  const Law& law_;
  const double* values_;
  const Surroundings& surroundings_;
  mutable Observation run_;
  mutable int64_t evaluations_ = 0;
};

}  // namespace bitlaw
