#include "ptq/paired.h"

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"

namespace bitlaw {

PairedDifference paired_difference(std::span<const float> losses, std::span<const float> baseline,
                                   std::span<const int64_t> cluster) {
  BITLAW_CHECK(!cluster.empty() && losses.size() == baseline.size() &&
               losses.size() % cluster.size() == 0);
  const size_t T = losses.size() / cluster.size();
  struct Sum {
    double difference = 0, tokens = 0;
  };
  std::vector<Sum> sums;
  double losses_sum = 0, baseline_sum = 0, difference_sum = 0;
  for (size_t w = 0; w < cluster.size(); ++w) {
    if (w == 0 || cluster[w] != cluster[w - 1]) sums.emplace_back();
    for (size_t i = w * T; i < (w + 1) * T; ++i) {
      losses_sum += losses[i];
      baseline_sum += baseline[i];
      sums.back().difference += static_cast<double>(losses[i]) - baseline[i];
    }
    sums.back().tokens += static_cast<double>(T);
  }
  for (const Sum& sum : sums) difference_sum += sum.difference;

  const auto n = static_cast<double>(losses.size()), clusters = static_cast<double>(sums.size());
  PairedDifference out{.mean = difference_sum / n,
                       .standard_error = std::numeric_limits<double>::quiet_NaN(),
                       .losses_mean = losses_sum / n,
                       .baseline_mean = baseline_sum / n,
                       .tokens = static_cast<int64_t>(losses.size()),
                       .clusters = static_cast<int64_t>(sums.size())};
  if (sums.size() > 1) {
    double squares = 0;
    for (const Sum& sum : sums) {
      const double residual = sum.difference - sum.tokens * out.mean;
      squares += residual * residual;
    }
    out.standard_error = std::sqrt(clusters / (clusters - 1) * squares) / n;
  }
  return out;
}

}  // namespace bitlaw
