#include "quantize/paired.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "base/error.h"

namespace bitlaw {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// value(i) of token i, in order.
template <class Value>
ClusteredMean clustered_mean(size_t tokens, std::span<const int64_t> cluster, Value value) {
  BITLAW_CHECK(!cluster.empty() && tokens % cluster.size() == 0);
  const size_t T = tokens / cluster.size();
  struct Sum {
    double value = 0, tokens = 0;
  };
  std::vector<Sum> sums;
  for (size_t w = 0; w < cluster.size(); ++w) {
    if (w == 0 || cluster[w] != cluster[w - 1]) sums.emplace_back();
    for (size_t i = w * T; i < (w + 1) * T; ++i) sums.back().value += value(i);
    sums.back().tokens += static_cast<double>(T);
  }
  double total = 0;
  for (const Sum& sum : sums) total += sum.value;

  const auto n = static_cast<double>(tokens), clusters = static_cast<double>(sums.size());
  ClusteredMean out{.mean = total / n, .standard_error = kUnknown};
  if (sums.size() > 1) {
    double squares = 0;
    for (const Sum& sum : sums) {
      const double change = (sum.value - sum.tokens * out.mean) / (n - sum.tokens);
      squares += change * change;
    }
    out.standard_error = std::sqrt((clusters - 1) / clusters * squares);
  }
  return out;
}

int64_t clusters_of(std::span<const int64_t> cluster) {
  int64_t count = 1;
  for (size_t w = 1; w < cluster.size(); ++w) count += cluster[w] != cluster[w - 1];
  return count;
}

// loss(i) and baseline(i) of token i, nats.
template <class Loss, class Baseline>
PairedDifference difference(size_t tokens, std::span<const int64_t> cluster, Loss loss,
                            Baseline baseline) {
  const ClusteredMean mean = clustered_mean(
      tokens, cluster, [&](size_t i) { return static_cast<double>(loss(i)) - baseline(i); });
  PairedDifference out{.mean = mean.mean,
                       .standard_error = mean.standard_error,
                       .tokens = static_cast<int64_t>(tokens),
                       .clusters = clusters_of(cluster)};
  for (size_t i = 0; i < tokens; ++i) {
    out.losses_mean += loss(i);
    out.baseline_mean += baseline(i);
  }
  out.losses_mean /= static_cast<double>(tokens);
  out.baseline_mean /= static_cast<double>(tokens);
  return out;
}

}  // namespace

PairedDifference paired_difference(std::span<const float> losses, std::span<const float> baseline,
                                   std::span<const int64_t> cluster) {
  BITLAW_CHECK(losses.size() == baseline.size());
  return difference(
      losses.size(), cluster, [&](size_t i) { return losses[i]; },
      [&](size_t i) { return baseline[i]; });
}

PairedComparison paired_comparison(std::span<const TokenComparison> tokens,
                                   std::span<const int64_t> cluster, double bytes_per_token) {
  const size_t count = tokens.size();
  PairedComparison out;
  out.loss = difference(
      count, cluster, [&](size_t i) { return tokens[i].loss; },
      [&](size_t i) { return tokens[i].baseline_loss; });
  out.kl =
      clustered_mean(count, cluster, [&](size_t i) { return static_cast<double>(tokens[i].kl); });
  out.same_top =
      clustered_mean(count, cluster, [&](size_t i) { return tokens[i].same_top ? 1.0 : 0.0; });
  out.bits_per_byte = bits_per_byte(out.loss.losses_mean, bytes_per_token);
  out.baseline_bits_per_byte = bits_per_byte(out.loss.baseline_mean, bytes_per_token);
  return out;
}

double bits_per_byte(double loss_nats, double bytes_per_token) {
  if (bytes_per_token == 0) return kUnknown;
  return loss_nats / (std::numbers::ln2 * bytes_per_token);
}

}  // namespace bitlaw
