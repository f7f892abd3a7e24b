// The definition of a comparison, in plain loops.
#include <algorithm>
#include <cmath>

#include "ops/ref/backend.h"

namespace bitlaw::ref {
namespace {

double log_sum_exp(const float* row, int64_t count) {
  const double largest = *std::max_element(row, row + count);
  double sum = 0;
  for (int64_t v = 0; v < count; ++v) sum += std::exp(row[v] - largest);
  return largest + std::log(sum);
}

}  // namespace

TokenComparison compare_logits(Context&, const float* baseline, const float* logits,
                               int64_t vocabulary, int64_t target) {
  const double p_log_sum = log_sum_exp(baseline, vocabulary),
               q_log_sum = log_sum_exp(logits, vocabulary);
  const float p_top = *std::max_element(baseline, baseline + vocabulary),
              q_top = *std::max_element(logits, logits + vocabulary);
  double kl = 0;
  bool same_top = false;
  for (int64_t v = 0; v < vocabulary; ++v) {
    const double log_p = baseline[v] - p_log_sum, log_q = logits[v] - q_log_sum;
    kl += std::exp(log_p) * (log_p - log_q);
    same_top |= baseline[v] == p_top && logits[v] == q_top;
  }
  return {.loss = static_cast<float>(q_log_sum - logits[target]),
          .baseline_loss = static_cast<float>(p_log_sum - baseline[target]),
          .kl = static_cast<float>(std::max(kl, 0.0)),
          .same_top = same_top};
}

}  // namespace bitlaw::ref
