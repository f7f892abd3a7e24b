// Parameters that no precision shrinks: embeddings and output head, where N counts them and they are
// not quantized. For a model whose parameters without them ("matrices") are M:
//
//   N_fixed = c M^p,    N_total = M + N_fixed
//
// A vocabulary of V rows and width d give c = V d (2 V d for a head of its own) and p = 0 for one
// model; over models of growing width p is about .4. A fit measures c and p in its table, so that a
// planned N_total is split as the table's models are.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

// The width of published models, d = 0.5563 N^0.39 (predict/model_shape.h says of which).
inline constexpr double kUsualWidthAtOne = 0.5563, kUsualWidthExponent = 0.39;

struct FixedParams {
  double scale = 0, exponent = 0;  // c, p; scale 0 = nothing is fixed, or it is not known
  int sizes = 0;                   // of models that they were measured on
  double spread = 0;               // root mean square of log(N_fixed) around the rule

  bool is_known() const { return scale > 0; }
  double fixed(double matrices) const;
  double total(double matrices) const { return matrices + fixed(matrices); }
  // The inverse of total, 0 <= exponent < 1; 0 where not even the embeddings fit.
  double matrices_of_total(double params) const;
  // N_fixed / N_total
  double share_of_total(double params) const;
};

// Least squares of log(N_total - N) on log N, a point for each pair of the two; with one size p is
// 0.39, that of published models (predict/model_shape.h). Not known unless some row has both counts.
FixedParams fixed_params_of(std::span<const Observation> runs);

// The run with all its parameters counted: params = params_total, which must be known. What it has
// besides params is fixed, unless the table says that embeddings and head are quantized
// (bits_embedding, bits_head below 16): the larger half of a quantized pair cannot be told apart, so
// one quantized table of two counts as half.
void count_all_params(Observation& run);

// The run with its parameters counted by its training compute: N = C / (6 D), so that C = 6 N D is
// exact. This counts the output head and attention's products, too. False if C is not known.
bool count_params_by_compute(Observation& run);

// N of a run as a fit counts it (non-embedding, total or flops); 0 or NaN if the run does not say.
double params_counted(const Observation& run, std::string_view how);

// "N counted ...": what a fit's `params` means: non-embedding, total or flops.
std::string_view words_for_count(std::string_view params);

// {"scale": ..., "exponent": ..., "sizes": ..., "spread": ...}, null if not known; and back.
Json fixed_params_json(const FixedParams& fixed);
FixedParams fixed_params_from(const Json& document);

}  // namespace bitlaw
