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
// Or all columns of as many rows, if the logits are few enough for their gradient to stay in L2.
constexpr int64_t kPanelRows = amx::kStep, kNearLogits = 256 * 1024;

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

// On the tile unit, in one of two ways. Few logits: 32 rows at a time with all of the vocabulary;
// logits and exponentials are kept until they are gradients. Many: a block of the vocabulary at a
// time for all rows, twice, for the sums of exponentials and then for the gradients. The logits are
// computed twice, but nothing of the size of the table (dhead above all) is read and written more
// than once; a product costs less than that traffic.
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
    write_losses(0, T_, losses);
  }

  void losses_and_gradients(const Weight& head, float scale, float* own_losses, float* dx,
                            WeightGradient dhead) {
    if (table_.N * T_ <= kNearLogits && by_rows(head, scale, own_losses, dx, dhead)) return;
    losses(own_losses);
    gradients_by_columns(head, scale, dx, dhead);
  }

 private:
  float* take(int64_t elements) { return context_.workspace.take(DType::kF32, {elements}).f32(); }
  LogitColumns columns(int64_t begin, int64_t end, int64_t t, int64_t rows) const {
    return {source(x_.rows(t, t + rows)), rows,         table_.K,  begin, end - begin,
            part(table_, 0, begin),       targets_ + t, shift_ + t};
  }

  // False if it cannot be done with one shift, see below.
  bool by_rows(const Weight& head, float scale, float* losses, float* dx, WeightGradient dhead) {
    Workspace::Scope scope(context_.workspace);
    const int64_t V = table_.N, first = std::min(V, kBlockColumns), later = V - first;
    const Gradients gradients(context_, {x_, {}}, head, true, dhead);
    const TiledGradients rounded(context_, T_, V, 0, std::min(kPanelRows, T_));
    float* const logits = take(kPanelRows * first);
    float* const exponentials = take(kPanelRows * later);
    float* const factor = take(kPanelRows);
    for (int64_t t = 0; t < T_; t += kPanelRows) {
      const int64_t rows = std::min(kPanelRows, T_ - t);
      start(first, t, rows, logits);
      if (!add_later(first, t, rows, exponentials)) return false;
      write_losses(t, rows, losses);
      for (int64_t r = 0; r < rows; ++r) factor[r] = scale / total_[t + r];
      rounded.round({logits, false, rows, first, 0, targets_ + t, shift_ + t}, t, 0, factor, scale);
      if (later > 0) {
        rounded.round({exponentials, true, rows, later, first, targets_ + t, shift_ + t}, t, first,
                      factor, scale);
      }
      gradients.multiply_for_input(context_, rows, V, rounded.for_input(), dx + t * table_.K);
    }
    gradients.multiply_for_weight(context_, T_, 0, V, rounded.for_weight());
    return true;
  }

  void gradients_by_columns(const Weight& head, float scale, float* dx, WeightGradient dhead) {
    float* const factor = take(T_);
    for (int64_t t = 0; t < T_; ++t) factor[t] = scale / total_[t];
    const Gradients gradients(context_, {x_, {}}, head, true, dhead);
    each_piece(table_.N, kBlockColumns, [&](int64_t begin, int64_t end) {
      Workspace::Scope scope(context_.workspace);
      const TiledGradients rounded(context_, T_, end - begin, 0);
      rounded.round(context_, columns(begin, end, 0, T_), factor, scale);
      gradients.multiply_block(context_, T_, begin, 0, end - begin, rounded.for_input(),
                               rounded.for_weight(), begin > 0, dx);
    });
  }

  // The largest logit of the first columns shifts all exponentials of a row. False if a later one
  // is so much larger that its exponential is not a float.
  bool sums_with_one_shift() {
    Workspace::Scope scope(context_.workspace);
    const int64_t first = std::min(table_.N, kBlockColumns);
    start(first, 0, T_, take(T_ * first));
    return add_later(first, 0, T_, nullptr);
  }

  // Block by block, each with the largest logit so far.
  void sums_in_steps() {
    Workspace::Scope scope(context_.workspace);
    start(table_.N, 0, T_, take(T_ * kBlockColumns));
  }

  // Shifts, totals and targets of the columns before `limit`. `logits` has room for a block of
  // columns, and keeps the last.
  void start(int64_t limit, int64_t t0, int64_t rows, float* logits) {
    float *const top = shift_ + t0, *const total = total_ + t0;
    std::fill_n(top, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(total, rows, 0.0f);
    each_piece(limit, kBlockColumns, [&](int64_t begin, int64_t end) {
      const int64_t N = end - begin;
      multiply(context_, rows, N, table_.K, source(x_.rows(t0, t0 + rows)), part(table_, 0, begin),
               {}, false, logits, N);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t target = targets_[t0 + r];
        if (target >= begin && target < end)
          target_logits_[t0 + r] = logits[r * N + target - begin];
      }
      kernels(context_).exponentials_of_block(logits, rows, N, top, total);
    });
    for (int64_t r = 0; r < rows; ++r) top[r] *= amx::kLog2E;
  }

  // Adds the columns from `first` on to the totals; keeps their exponentials [rows, V - first]
  // unless `kept` is null.
  bool add_later(int64_t first, int64_t t0, int64_t rows, float* kept) {
    Workspace::Scope scope(context_.workspace);
    const int64_t V = table_.N;
    float* const sums = take(16 * rows);
    std::fill_n(sums, 16 * rows, 0.0f);
    each_piece(V - first, kept == nullptr ? kBlockColumns : V, [&](int64_t begin, int64_t end) {
      add_exponentials(context_, columns(first + begin, first + end, t0, rows), sums,
                       target_logits_ + t0, kept);
    });
    bool finite = true;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < 16; ++i) total_[t0 + r] += sums[16 * r + i];
      finite &= std::isfinite(total_[t0 + r]);
    }
    return finite;
  }

  void write_losses(int64_t t0, int64_t rows, float* losses) const {
    for (int64_t t = t0; t < t0 + rows; ++t) {
      // The shift is the rounded product that the exponentials were taken with.
      const double log_sum =
          shift_[t] / static_cast<double>(amx::kLog2E) + std::log(static_cast<double>(total_[t]));
      losses[t] = static_cast<float>(log_sum - target_logits_[t]);
    }
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
      TiledHead(context, rows, *table, own)
          .losses_and_gradients(head, scale, own_losses, own_dx, sum);
    } else {
      head_by_rows(context, rows_of(x, begin, end), head, own, scale, own_losses, own_dx, sum);
    }
  });
}

}  // namespace bitlaw::cpu
