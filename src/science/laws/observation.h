// One row of a scaling study: a run (its loss after training), or a cell of post-training
// quantization of that run (its loss difference). Laws, fits and plans know nothing else about a
// run.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "formats/precision.h"  // kUnquantizedBits

namespace bitlaw {

// Bits without any effect: every law's f is exactly 1. The paper's formulas for post-training
// quantization and for inference planning count a BF16 model's parameters in full this way.
inline constexpr double kUnlimitedBits = std::numeric_limits<double>::infinity();

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// The value of a column that only laws made from formulas take.
struct NamedInput {
  std::string column;
  double value = kUnknown;

  bool operator==(const NamedInput&) const = default;
};

struct Observation {
  double params = kUnknown;  // N, parameters without embeddings and output head
  double params_total = 0;   // N with embeddings and output head; 0 = unknown
  // The share of `params` that no precision shrinks: embeddings and head, where N counts them and they
  // are not quantized. N_eff = N (fixed_share + (1 - fixed_share) f).
  double fixed_share = 0;
  double tokens = kUnknown;   // D, training tokens
  double compute = kUnknown;  // C of training, FLOP, as a table has it; NaN = 6 N D
  // N and D are not known, and no law that is fitted has them: both are sqrt(x / 6) of its input x.
  bool stand_in_sizes = false;
  double loss_nats = kUnknown;  // validation loss in nats per token, of the row itself (after
                                // quantization if bits_post is set); NaN = not measured
  double loss_standard_error = kUnknown;       // of loss_nats; NaN = unknown
  double bits_weights = kUnquantizedBits;      // P_w while training
  double bits_activations = kUnquantizedBits;  // P_a while training
  double bits_kv = kUnquantizedBits;           // P_kv while training
  // Keys and values apart, where they differ; NaN = as bits_kv.
  double bits_keys = kUnknown, bits_values = kUnknown;
  // Embedding table and output head; NaN = no factor of the table: not quantized, and no law asks.
  double bits_embedding = kUnknown, bits_head = kUnknown;
  double bits_post = 0;  // P_post of the weights afterwards; 0 or 16 = none
  // Loss after - loss before P_post; of a run, loss - that of its reference run, where runs are paired
  // (table/gaps.h); NaN = none.
  double delta_nats = kUnknown;
  double delta_standard_error = kUnknown;  // of delta_nats; NaN = unknown

  // Inputs of some laws.
  double unique_tokens = kUnknown;  // distinct training tokens; NaN = no token repeats
  double group = kUnknown;          // entries that share a scale in training; NaN = unknown
  double exponent_bits = kUnknown;  // X of a floating-point format of training; NaN = integer
  double mantissa_bits = kUnknown;  // M of that format
  // Mean squared error of a part's training format on a unit Gaussian; NaN = that of the best
  // uniform grid of its bits.
  double gaussian_error_weights = kUnknown;
  double gaussian_error_activations = kUnknown;
  double gaussian_error_kv = kUnknown;
  double qat_share = kUnknown;  // best share of the tokens to train with quantization, measured
  std::string precision;        // class of the forward pass's quantizers; "" = from the bits
  std::string backward;         // class of the gradients' quantizer; "" = none
  std::string optimizer;        // its name in lower case; "" = AdamW, or not said

  std::vector<NamedInput> inputs;  // of laws made from formulas; the same columns in every row

  std::string method;   // of quantization after training: "rtn", "gptq", "gptq-g128"; "" = unknown
  std::string cluster;  // runs that share a trunk share this; resampled together. "" = its own

  double key_bits() const { return std::isnan(bits_keys) ? bits_kv : bits_keys; }
  double value_bits() const { return std::isnan(bits_values) ? bits_kv : bits_values; }
  // A cell of post-training quantization rather than a run.
  bool is_post_training() const { return bits_post > 0 && bits_post < kUnquantizedBits; }
  // NaN if the row has no such column.
  double input(std::string_view column) const {
    for (const NamedInput& each : inputs) {
      if (each.column == column) return each.value;
    }
    return kUnknown;
  }
};

}  // namespace bitlaw
