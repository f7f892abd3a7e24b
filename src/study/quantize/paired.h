// Compares two models on the same tokens: the mean difference of their losses, the distance of
// their predictions, and the standard errors of these means.
//
// Token by token, most of the loss is common to both models and cancels. The difference is
// correlated within a document, so standard errors come from leaving out whole clusters of tokens,
// c = 1..C. With x_c the sum of the averaged quantity over cluster c, n_c its tokens, and n = sum_c
// n_c,
//
//   mean = sum_c x_c / n,   mean_c = the same without cluster c,
//   standard_error^2 = (C - 1) / C sum_c (mean_c - mean)^2,
//
// the jackknife (Efron and Stein, The jackknife estimate of variance, 1981), where mean_c - mean =
// -(x_c - n_c mean) / (n - n_c). For clusters of one size it is the usual C / (C - 1) sum_c (x_c -
// n_c mean)^2 / n^2, which is too small if a few clusters make up much of the text, because their
// own residuals pull the mean.
//
// For two such means over different documents, |a - b| <= z sqrt(SE_a^2 + SE_b^2) holds as often as
// a Student's t with 2 (C - 1) degrees of freedom is below z, if documents have one size and normal
// means; `bench/run paired_coverage` measures it on a run. The errors assume documents drawn at
// random from this kind of text; they do not include what neighbouring documents of one source have
// in common.
#pragma once

#include <cstdint>
#include <span>

#include "ops/compare.h"

namespace bitlaw {

struct ClusteredMean {
  double mean = 0;
  double standard_error = 0;  // NaN if there is only one cluster
};

struct PairedDifference {
  double mean = 0;                            // nats per token; positive if `losses` are larger
  double standard_error = 0;                  // NaN if there is only one cluster
  double losses_mean = 0, baseline_mean = 0;  // nats per token
  int64_t tokens = 0, clusters = 0;
};

struct PairedComparison {
  PairedDifference loss;   // model minus baseline
  ClusteredMean kl;        // KL(baseline || model), nats per token
  ClusteredMean same_top;  // share of tokens with the same most likely prediction
  double bits_per_byte = 0, baseline_bits_per_byte = 0;  // NaN if bytes per token is not known
};

// losses and baseline: [windows, T], nats. cluster [windows]: windows with equal numbers are
// contiguous and belong to one cluster.
PairedDifference paired_difference(std::span<const float> losses, std::span<const float> baseline,
                                   std::span<const int64_t> cluster);

// The same for tokens [windows, T]. `bytes_per_token` is that of the text; 0 if not known.
PairedComparison paired_comparison(std::span<const TokenComparison> tokens,
                                   std::span<const int64_t> cluster, double bytes_per_token);

// Bits per byte of text at a loss in nats per token; NaN if bytes_per_token is 0.
double bits_per_byte(double loss_nats, double bytes_per_token);

}  // namespace bitlaw
