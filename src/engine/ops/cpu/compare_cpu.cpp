#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"

namespace bitlaw::cpu {

TokenComparison compare_logits(Context& context, const float* baseline, const float* logits,
                               int64_t vocabulary, int64_t target) {
  RowComparison row;
  kernels(context).compare_rows(baseline, logits, 1, vocabulary, &row);
  return {.loss = static_cast<float>(row.log_sum - logits[target]),
          .baseline_loss = static_cast<float>(row.baseline_log_sum - baseline[target]),
          .kl = row.kl < 0 ? 0.0f : static_cast<float>(row.kl),
          .same_top = row.same_top};
}

}  // namespace bitlaw::cpu
