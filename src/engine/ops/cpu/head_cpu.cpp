// The output head and its loss. Neither forward nor backward stores all logits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ops/cpu/amx/head_amx.h"
#include "ops/cpu/gradients_cpu.h"

namespace bitlaw::cpu {
namespace {

// All logits of kRows rows at a time; their gradient is kept, rounded, for kPieceRows rows, and
// then makes its part of the table's gradient, which costs that one reading and writing.
constexpr int64_t kRows = 64, kPieceRows = 256;
// Or, on the tile unit, rows and columns of a block of logits.
constexpr int64_t kBlockRows = 512, kBlockColumns = Gradients::kColumns;

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
  const Tensor inputs = gradient_numbers(context, x);
  multiply(context, V, d, T, source(gradient, true), arrange(context, T, d, source(inputs)), {},
           !dhead.fresh, dhead.dw->f32(), d);
}

// On the tile unit, a block of the vocabulary at a time for all rows, twice: for the sums of
// exponentials, then for the gradients. The logits are computed twice, but nothing of the size of
// the table (dhead above all) is read and written more than once; a product costs less than that
// traffic.
class TiledHead {
 public:
  TiledHead(Context& context, const Tensor& x, const Right& table, const uint16_t* targets)
      : context_(context),
        x_(x),
        table_(table),
        targets_(targets),
        T_(x.extent(0)),
        shift_(take(T_)),
        total_(take(T_)),
        target_logits_(take(T_)) {}

  void losses(float* losses) {
    if (!sums_with_one_shift()) sums_in_steps();
    for (int64_t t = 0; t < T_; ++t) {
      // The shift is the rounded product that the exponentials were taken with.
      const double log_sum =
          shift_[t] / static_cast<double>(amx::kLog2E) + std::log(static_cast<double>(total_[t]));
      losses[t] = static_cast<float>(log_sum - target_logits_[t]);
    }
  }

  void gradients(const Weight& head, float scale, float* dx, WeightGradient dhead) {
    float* const factor = take(T_);
    for (int64_t t = 0; t < T_; ++t) factor[t] = scale / total_[t];
    const Gradients gradients(context_, {x_, {}}, head, true, dhead);
    each_piece(table_.N, kBlockColumns, [&](int64_t begin, int64_t end) {
      Workspace::Scope scope(context_.workspace);
      const TiledGradients rounded(context_, T_, end - begin, 0);
      rounded.round(context_, columns(begin, end), factor, scale);
      gradients.multiply_block(context_, T_, begin, 0, end - begin, rounded.for_input(),
                               rounded.for_weight(), begin > 0, dx);
    });
  }

 private:
  float* take(int64_t elements) { return context_.workspace.take(DType::kF32, {elements}).f32(); }
  LogitColumns columns(int64_t begin, int64_t end) const {
    return {source(x_), T_, table_.K, begin, end - begin, part(table_, 0, begin), targets_, shift_};
  }

  // The largest logit of the first columns shifts all exponentials of a row. False if a later one
  // is so much larger that its exponential is not a float.
  bool sums_with_one_shift() {
    Workspace::Scope scope(context_.workspace);
    start(kBlockColumns);
    float* const sums = take(16 * T_);
    std::fill_n(sums, 16 * T_, 0.0f);
    each_piece(table_.N, kBlockColumns, [&](int64_t begin, int64_t end) {
      if (begin > 0) add_exponentials(context_, columns(begin, end), sums, target_logits_);
    });
    bool finite = true;
    for (int64_t t = 0; t < T_; ++t) {
      for (int64_t i = 0; i < 16; ++i) total_[t] += sums[16 * t + i];
      finite &= std::isfinite(total_[t]);
    }
    return finite;
  }

  // Block by block, each with the largest logit so far.
  void sums_in_steps() { start(table_.N); }

  // Shifts, totals and targets of the columns before `limit`.
  void start(int64_t limit) {
    Workspace::Scope scope(context_.workspace);
    float* const logits = take(T_ * kBlockColumns);
    float* const top = shift_;
    std::fill_n(top, T_, -std::numeric_limits<float>::infinity());
    std::fill_n(total_, T_, 0.0f);
    each_piece(std::min(limit, table_.N), kBlockColumns, [&](int64_t begin, int64_t end) {
      const int64_t N = end - begin;
      multiply(context_, T_, N, table_.K, source(x_), part(table_, 0, begin), {}, false, logits, N);
      for (int64_t t = 0; t < T_; ++t) {
        if (targets_[t] >= begin && targets_[t] < end)
          target_logits_[t] = logits[t * N + targets_[t] - begin];
      }
      kernels(context_).exponentials_of_block(logits, T_, N, top, total_);
    });
    for (int64_t t = 0; t < T_; ++t) shift_[t] = top[t] * amx::kLog2E;
  }

  Context& context_;
  const Tensor& x_;
  const Right& table_;
  const uint16_t* targets_;
  int64_t T_;
  float *shift_, *total_, *target_logits_;
};

// The table [d, V] as the tile unit takes blocks of its columns, if these are its products.
std::optional<Right> tiled_table(Context& context, const Operand& x, const Weight& head) {
  const Layouts* const own = layouts(head);
  if (!is_tiled(context) || own == nullptr) return std::nullopt;
  if (x.codes.dtype() != DType::kBF16 || head.operand.codes.dtype() != DType::kBF16)
    return std::nullopt;
  const Right& table = own->forward;
  return is_laid_out(table, DType::kBF16) && table.engine == Engine::kAmx ? std::optional(table)
                                                                          : std::nullopt;
}

}  // namespace

void head_logits(Context& context, const Operand& x, const Weight& head, Tensor& logits) {
  cpu::linear_forward(context, x, head, false, logits);
}

void head_loss(Context& context, const Operand& x, const Weight& head,
               std::span<const uint16_t> targets, Tensor& losses) {
  const int64_t T = x.codes.extent(0), V = head.operand.codes.extent(0);
  if (const std::optional<Right> table = tiled_table(context, x, head)) {
    each_piece(T, kBlockRows, [&](int64_t begin, int64_t end) {
      Workspace::Scope scope(context.workspace);
      const Tensor rows = x.codes.rows(begin, end);
      TiledHead(context, rows, *table, targets.data() + begin).losses(losses.f32() + begin);
    });
    return;
  }
  each_piece(T, kRows, [&](int64_t begin, int64_t end) {
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
  const std::optional<Right> table = tiled_table(context, x, head);
  const int64_t T = x.codes.extent(0), d = x.codes.extent(1);
  each_piece(T, table ? kBlockRows : kPieceRows, [&](int64_t begin, int64_t end) {
    const WeightGradient sum(dhead.dw, dhead.fresh && begin == 0);
    const uint16_t* const own = targets.data() + begin;
    float* const own_losses = losses.f32() + begin;
    float* const own_dx = dx.f32() + begin * d;
    if (table) {
      Workspace::Scope scope(context.workspace);
      const Tensor rows = x.codes.rows(begin, end);
      TiledHead tiled(context, rows, *table, own);
      tiled.losses(own_losses);
      tiled.gradients(head, scale, own_dx, sum);
    } else {
      head_by_rows(context, rows_of(x, begin, end), head, own, scale, own_losses, own_dx, sum);
    }
  });
}

}  // namespace bitlaw::cpu
