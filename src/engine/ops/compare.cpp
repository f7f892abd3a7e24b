#include "ops/compare.h"

#include <algorithm>
#include <array>

#include "ops/checks.h"
#include "ops/cpu/products.h"
#include "ops/loss.h"
#include "ops/ref/compare_ref.h"

namespace bitlaw {
namespace {

// Logits of so many rows of both models: 2 MiB at a vocabulary of 4096.
constexpr int64_t kRows = 64;

TokenComparison finished(const cpu::RowComparison& row, float baseline_target, float target) {
  return {.loss = static_cast<float>(row.log_sum - target),
          .baseline_loss = static_cast<float>(row.baseline_log_sum - baseline_target),
          .kl = row.kl < 0 ? 0.0f : static_cast<float>(row.kl),
          .same_top = row.same_top};
}

TokenComparison compare(const Context& context, const float* baseline, const float* logits,
                        int64_t vocabulary, int64_t target) {
  if (context.backend == Backend::kReference)
    return ref::compare_logits(baseline, logits, vocabulary, target);
  cpu::RowComparison row;
  cpu::kernels(context).compare_rows(baseline, logits, 1, vocabulary, &row);
  return finished(row, baseline[target], logits[target]);
}

}  // namespace

TokenComparison compare_logits(const float* baseline, const float* logits, int64_t vocabulary,
                               int64_t target) {
  BITLAW_CHECK(target >= 0 && target < vocabulary);
  return compare(Context{}, baseline, logits, vocabulary, target);
}

void compare_heads(Context& context, const Operand& baseline_x, const Weight& baseline_head,
                   const Operand& x, const Weight& head, std::span<const uint16_t> targets,
                   std::span<TokenComparison> out) {
  const int64_t T = x.codes.extent(0), V = head.operand.codes.extent(0);
  BITLAW_CHECK(baseline_x.codes.extent(0) == T && baseline_head.operand.codes.extent(0) == V);
  BITLAW_CHECK(static_cast<int64_t>(targets.size()) == T && all_below(targets, V));
  BITLAW_CHECK(static_cast<int64_t>(out.size()) == T);
  for (int64_t begin = 0; begin < T; begin += kRows) {
    const int64_t end = std::min(begin + kRows, T);
    Workspace::Scope scope(context.workspace);
    Tensor p = context.workspace.take(DType::kF32, {end - begin, V}),
           q = context.workspace.take(DType::kF32, {end - begin, V});
    head_logits(context, rows_of(baseline_x, begin, end), baseline_head, p);
    head_logits(context, rows_of(x, begin, end), head, q);
    for (int64_t t = begin; t < end; ++t) {
      const int64_t at = (t - begin) * V;
      out[static_cast<size_t>(t)] =
          compare(context, p.f32() + at, q.f32() + at, V, targets[static_cast<size_t>(t)]);
    }
  }
}

}  // namespace bitlaw
