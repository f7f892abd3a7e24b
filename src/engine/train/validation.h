// The loss on held-out text, and its standard error.
//
// The tokens of one document are not independent, so the standard error is that of a mean over
// clusters: documents if the data set marks their ends, else sequences. With S_g the sum of the
// losses of cluster g, n_g their number, G clusters, n tokens and mean m,
//
//   standard_error = sqrt( G / (G - 1) sum_g (S_g - n_g m)^2 ) / n
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "data/dataset.h"
#include "model/evaluate.h"
#include "record/result.h"

namespace bitlaw {

// losses[i] is the loss in nats of a token of cluster clusters[i]; equal lengths, not empty.
Validation summarize_losses(std::span<const float> losses, std::span<const int64_t> clusters);

// The first `windows` windows of T + 1 tokens of the validation set, one after another as in
// per_token_losses, and the cluster of each of their targets.
struct ValidationSet {
  std::vector<uint16_t> tokens;                    // [windows, T + 1]
  std::vector<std::span<const uint16_t>> windows;  // rows of it
  std::vector<int64_t> clusters;                   // [windows * T]
  double bytes_per_token;                          // 0: not known
};
// At most `tokens` tokens, rounded up to whole windows; 0: all. Error for a text too short for one
// window.
ValidationSet make_validation_set(const Dataset& dataset, int64_t T, int64_t tokens);

// The model must be prepared.
Validation validate(const Model& model, const Parameters& parameters, const ValidationSet& set,
                    ThreadPool& pool, const Context& like = {});

}  // namespace bitlaw
