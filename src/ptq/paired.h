// Two models on the same tokens: the mean difference of their losses, and how sure it is.
//
// Token by token most of the loss is common to both models and cancels. What is left is correlated
// within a document, so the standard error is computed from whole clusters of tokens, c = 1..C:
// with d_c the sum of the differences in cluster c and n_c its tokens,
//
//   mean = sum_c d_c / n,   standard_error^2 = C / (C - 1) sum_c (d_c - n_c mean)^2 / n^2,   n =
//   sum_c n_c
//
// (the linearised variance of a ratio of sums; Cochran, Sampling Techniques, 1977, section 6.8).
#pragma once

#include <cstdint>
#include <span>

namespace bitlaw {

struct PairedDifference {
  double mean = 0;            // nats per token; positive where `losses` are the larger
  double standard_error = 0;  // NaN with one cluster only
  double losses_mean = 0, baseline_mean = 0;  // nats per token
  int64_t tokens = 0, clusters = 0;
};

// losses and baseline: [windows, T], nats. cluster [windows]: equal numbers stand together and
// belong to one cluster.
PairedDifference paired_difference(std::span<const float> losses, std::span<const float> baseline,
                                   std::span<const int64_t> cluster);

}  // namespace bitlaw
