// Two models on the same tokens: the mean difference of their losses, how far their guesses are
// apart, and how sure these means are.
//
// Token by token most of the loss is common to both models and cancels. What is left is correlated
// within a document, so standard errors come from leaving out whole clusters of tokens, c = 1..C:
// with x_c the sum of what is averaged in cluster c, n_c its tokens, n = sum_c n_c,
//
//   mean = sum_c x_c / n,   mean_c = the same without cluster c,
//   standard_error^2 = (C - 1) / C sum_c (mean_c - mean)^2,
//
// the jackknife (Efron and Stein, The jackknife estimate of variance, 1981), where mean_c - mean =
// -(x_c - n_c mean) / (n - n_c). For clusters of one size it is the usual C / (C - 1) sum_c (x_c -
// n_c mean)^2 / n^2; that is too small where a few clusters hold much of the text, because their
// own residuals pull the mean.
//
// For two such means of different documents |a - b| <= z sqrt(SE_a^2 + SE_b^2) holds as often as a
// Student's t of 2 (C - 1) degrees of freedom is below z, where documents are of one size and their
// means normal; `bench/run paired_coverage` measures it on a run. The errors are those of documents
// drawn at random from text of this kind: what neighbouring documents of one source have in common
// is not in them.
#pragma once

#include <cstdint>
#include <span>

#include "ops/compare.h"

namespace bitlaw {

struct ClusteredMean {
  double mean = 0;
  double standard_error = 0;  // NaN with one cluster only
};

struct PairedDifference {
  double mean = 0;            // nats per token; positive where `losses` are the larger
  double standard_error = 0;  // NaN with one cluster only
  double losses_mean = 0, baseline_mean = 0;  // nats per token
  int64_t tokens = 0, clusters = 0;
};

struct PairedComparison {
  PairedDifference loss;   // of the model less the baseline
  ClusteredMean kl;        // KL(baseline || model), nats per token
  ClusteredMean same_top;  // share of tokens on whose likeliest successor both agree
  double bits_per_byte = 0, baseline_bits_per_byte = 0;  // NaN where bytes per token is not known
};

// losses and baseline: [windows, T], nats. cluster [windows]: equal numbers stand together and
// belong to one cluster.
PairedDifference paired_difference(std::span<const float> losses, std::span<const float> baseline,
                                   std::span<const int64_t> cluster);

// The same of tokens [windows, T]. `bytes_per_token` of the text they were cut from; 0 where it is
// not known.
PairedComparison paired_comparison(std::span<const TokenComparison> tokens,
                                   std::span<const int64_t> cluster, double bytes_per_token);

// bits per byte of text at a loss in nats per token; NaN where bytes_per_token is 0.
double bits_per_byte(double loss_nats, double bytes_per_token);

}  // namespace bitlaw
