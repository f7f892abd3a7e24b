// The loss on held-out text, and its standard error.
//
// The tokens of one document are not independent, so the standard error is that of a mean over
// clusters: documents if the data set marks their ends, else sequences. With S_g the sum of the
// losses of cluster g, n_g their number, G clusters, n tokens and mean m,
//
//   standard_error = sqrt( G / (G - 1) sum_g (S_g - n_g m)^2 ) / n
//
// It says how far other text of this kind would be away. If only w of the W windows of the held-out
// text were taken, by a fixed permutation (data/loader.h), sampling_error says how far all of it
// is, with s the deviation of the windows' mean losses:
//
//   sampling_error = s sqrt( (1 - w / W) / w )
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

// Windows of T + 1 tokens of the validation set in the order of the text, and the cluster of each
// of their targets, as in per_token_losses.
struct ValidationSet {
  std::vector<uint16_t> tokens;                    // [windows, T + 1]
  std::vector<std::span<const uint16_t>> windows;  // rows of it
  std::vector<int64_t> clusters;                   // [windows * T]
  double bytes_per_token;                          // of all the text; 0: not known
  int64_t available = 0;                           // windows in all the text
};
// At most `tokens` tokens, rounded up to whole windows, of all the text (data/loader.h); 0: all.
// Error for a text too short for one window.
ValidationSet make_validation_set(const Dataset& dataset, int64_t T, int64_t tokens);

// Of the mean of `losses`, which are those of w windows of equal length, for the mean over all
// `available` of them. NaN for one window of several.
double sampling_error(std::span<const float> losses, int64_t windows, int64_t available);

// The model must be prepared.
Validation validate(const Model& model, const Parameters& parameters, const ValidationSet& set,
                    ThreadPool& pool, const Context& like = {});

}  // namespace bitlaw
