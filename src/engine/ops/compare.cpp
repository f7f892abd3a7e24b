#include "ops/compare.h"

#include <algorithm>

#include "ops/checks.h"
#include "ops/dispatch.h"
#include "ops/loss.h"

namespace bitlaw {
namespace {

// Rows of logits of both models at a time: 2 MiB at a vocabulary of 4096.
constexpr int64_t kRows = 64;

}  // namespace

TokenComparison compare_logits(Context& context, const float* baseline, const float* logits,
                               int64_t vocabulary, int64_t target) {
  BITLAW_CHECK(target >= 0 && target < vocabulary);
  return dispatch(context, op::compare_logits, baseline, logits, vocabulary, target);
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
          compare_logits(context, p.f32() + at, q.f32() + at, V, targets[static_cast<size_t>(t)]);
    }
  }
}

}  // namespace bitlaw
