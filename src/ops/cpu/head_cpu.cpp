// The output head and its loss. Neither way ever holds all logits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ops/cpu/gradients_cpu.h"

namespace bitlaw::cpu {
namespace {

// All logits of kRows rows at a time; their gradient is kept, rounded, for kPieceRows rows, and
// then makes its part of the table's gradient, which costs that one reading and writing.
constexpr int64_t kRows = 64, kPieceRows = 256;
// Or rows and columns of a block of logits.
constexpr int64_t kBlockRows = 512, kBlockColumns = Gradients::kColumns;

Operand rows_of(const Operand& x, int64_t begin, int64_t end) {
  return {x.codes.rows(begin, end), {}};
}

// f(begin, end) over pieces of [0, n).
template <class F>
void each_piece(int64_t n, int64_t size, F f) {
  for (int64_t begin = 0; begin < n; begin += size) f(begin, std::min(begin + size, n));
}

void head_by_rows(Context& context, const Operand& x, const Weight& head, const uint16_t* targets,
                  float gradient_scale, float* losses, float* dx, WeightGradient dhead) {
  Workspace::Scope scope(context.workspace);
  const DType dtype = context.gradient_dtype;
  const int64_t T = x.codes.extent(0), V = head.operand.codes.extent(0),
                d = head.operand.codes.extent(1);
  const Right weight = backward_layout(context, head);
  const Tensor gradient = context.workspace.take(dtype, {T, V});
  each_piece(T, kRows, [&](int64_t begin, int64_t end) {
    Workspace::Scope piece_scope(context.workspace);
    const Tensor rows = gradient.rows(begin, end);
    const RowTarget target{dtype == DType::kBF16 ? words(rows) : nullptr,
                           dtype == DType::kBF16 ? nullptr : rows.f32(), V, false};
    Tensor logits = context.workspace.take(DType::kF32, {end - begin, V});
    cpu::head_logits(context, rows_of(x, begin, end), head, logits);
    kernels(context).cross_entropy_gradient(logits.f32(), end - begin, V, targets + begin,
                                            gradient_scale, losses + begin, target);
    multiply(context, end - begin, d, V, source(rows), weight, {}, false, dx + begin * d, d);
  });
  const Tensor inputs = codes_as(context, dtype, x.codes);
  multiply(context, V, d, T, source(gradient, true), arrange(context, T, d, source(inputs)), {},
           !dhead.fresh, dhead.dw->f32(), d);
}

// A block of the vocabulary at a time for all rows, twice: for the sums of exponentials, then for
// the gradients. The logits are computed twice, but nothing of the size of the table (dhead above
// all) is read and written more than once; on AMX a product costs less than that traffic.
void head_by_columns(Context& context, const Tensor& x, const Right& table, const Weight& head,
                     const uint16_t* targets, float gradient_scale, float* losses, float* dx,
                     WeightGradient dhead) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = x.extent(0), V = table.N, d = table.K;
  const Kernels& kernel = kernels(context);
  float* const logits = context.workspace.take(DType::kF32, {T, kBlockColumns}).f32();
  float* const top = context.workspace.take(DType::kF32, {T}).f32();
  float* const total = context.workspace.take(DType::kF32, {T}).f32();
  float* const factor = context.workspace.take(DType::kF32, {T}).f32();
  float* const target_logits = context.workspace.take(DType::kF32, {T}).f32();
  std::fill_n(top, T, -std::numeric_limits<float>::infinity());
  std::fill_n(total, T, 0.0f);
  // f(row, its target's place in the block of logits)
  const auto each_target = [&](int64_t begin, int64_t end, auto f) {
    for (int64_t t = 0; t < T; ++t) {
      if (targets[t] >= begin && targets[t] < end) f(t, t * (end - begin) + targets[t] - begin);
    }
  };

  each_piece(V, kBlockColumns, [&](int64_t begin, int64_t end) {
    multiply(context, T, end - begin, d, source(x), part(table, 0, begin), {}, false, logits,
             end - begin);
    each_target(begin, end, [&](int64_t t, int64_t at) { target_logits[t] = logits[at]; });
    kernel.exponentials_of_block(logits, T, end - begin, top, total);
  });
  for (int64_t t = 0; t < T; ++t) {
    losses[t] = std::log(total[t]) - (target_logits[t] - top[t]);
    factor[t] = gradient_scale / total[t];
  }
  const Gradients gradients(context, x, head, true, dhead);
  each_piece(V, kBlockColumns, [&](int64_t begin, int64_t end) {
    multiply(context, T, end - begin, d, source(x), part(table, 0, begin), {}, false, logits,
             end - begin);
    kernel.softmax_of_block(logits, T, end - begin, top, factor);
    each_target(begin, end, [&](int64_t, int64_t at) { logits[at] -= gradient_scale; });
    gradients.add(context, T, begin, end - begin, logits, end - begin, nullptr, nullptr, begin > 0,
                  dx);
  });
}

// The table [d, V] if the head can be taken in blocks of its columns.
std::optional<Right> divisible_table(Context& context, const Operand& x, const Weight& head) {
  if (x.codes.dtype() != DType::kBF16 || head.operand.codes.dtype() != DType::kBF16)
    return std::nullopt;
  if (context.gradient_dtype != DType::kBF16 || head.packed == nullptr) return std::nullopt;
  const PackedWeight& packed = *head.packed;
  const bool forward =
      is_laid_out(packed.forward, DType::kBF16) && packed.forward.engine == Engine::kAmx;
  return forward && engine_for(context, DType::kBF16) == Engine::kAmx
             ? std::optional(packed.forward)
             : std::nullopt;
}

}  // namespace

void head_logits(Context& context, const Operand& x, const Weight& head, Tensor& logits) {
  cpu::linear_forward(context, x, head, false, logits);
}

void head_loss(Context& context, const Operand& x, const Weight& head,
               std::span<const uint16_t> targets, Tensor& losses) {
  const int64_t V = head.operand.codes.extent(0);
  each_piece(x.codes.extent(0), kRows, [&](int64_t begin, int64_t end) {
    Workspace::Scope scope(context.workspace);
    Tensor logits = context.workspace.take(DType::kF32, {end - begin, V});
    cpu::head_logits(context, rows_of(x, begin, end), head, logits);
    kernels(context).cross_entropy(logits.f32(), end - begin, V, targets.data() + begin,
                                   losses.f32() + begin);
  });
}

void head_loss_backward(Context& context, const Operand& x, const Weight& head,
                        std::span<const uint16_t> targets, double gradient_scale, Tensor& losses,
                        Tensor& dx, WeightGradient dhead) {
  const auto scale = static_cast<float>(gradient_scale);
  const std::optional<Right> table = divisible_table(context, x, head);
  const int64_t T = x.codes.extent(0), d = x.codes.extent(1);
  each_piece(T, table ? kBlockRows : kPieceRows, [&](int64_t begin, int64_t end) {
    const WeightGradient sum(dhead.dw, dhead.fresh && begin == 0);
    const uint16_t* const own = targets.data() + begin;
    float* const own_losses = losses.f32() + begin;
    float* const own_dx = dx.f32() + begin * d;
    if (table) {
      head_by_columns(context, x.codes.rows(begin, end), *table, head, own, scale, own_losses,
                      own_dx, sum);
    } else {
      head_by_rows(context, rows_of(x, begin, end), head, own, scale, own_losses, own_dx, sum);
    }
  });
}

}  // namespace bitlaw::cpu
