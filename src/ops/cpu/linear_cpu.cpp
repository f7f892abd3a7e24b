// Products with a prepared weight, and the output head with its loss.
//
// Every product here has one of two types: BF16 where both operands are BF16 numbers, F32
// otherwise. An operand that is not of the product's type is converted into the workspace first:
// codes to values (forward), F32 numbers to BF16 (backward), BF16 codes to F32 (backward with
// gradients in F32).
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"

namespace bitlaw {

// W [N, K] laid out twice: as W^T for y = x W^T and as W for dx = dy W. A missing or unsuitable
// layout is made for the one call.
struct PackedWeight {
  cpu::Right forward, backward;
};

}  // namespace bitlaw

namespace bitlaw::cpu {
namespace {

// Columns of dy at a time where the weight's layout allows it: dy, its two roundings, the rows of
// dw and of the weight then stay in L2 together.
constexpr int64_t kGradientColumns = 256;

// The head: rows of all logits at a time, or rows and columns of a block of logits.
constexpr int64_t kHeadRows = 64, kHeadBlockRows = 512, kHeadBlockColumns = 256;

uint16_t* words(const Tensor& codes) {
  return reinterpret_cast<uint16_t*>(codes.bf16());
}
const float* optional(const Tensor& scales) {
  return scales.defined() ? scales.f32() : nullptr;
}

// Codes as numbers of `dtype` without scales, BF16 rounded if they are not BF16 yet.
Tensor codes_as(Context& context, DType dtype, const Tensor& codes) {
  if (codes.dtype() == dtype) return codes;
  const int64_t R = codes.extent(0), C = codes.extent(1);
  const Tensor out = context.workspace.take(dtype, {R, C});
  if (dtype == DType::kBF16) {
    kernels(context).round_bf16(codes.f32(), R * C, words(out));
  } else {
    kernels(context).widen(words(codes), C, R, C, nullptr, out.f32(), C);
  }
  return out;
}

// The values code * scale in F32.
Tensor values(Context& context, const Operand& x) {
  if (x.codes.dtype() == DType::kF32) return x.codes;
  const int64_t R = x.codes.extent(0), C = x.codes.extent(1);
  const Tensor out = context.workspace.take(DType::kF32, {R, C});
  kernels(context).widen(words(x.codes), C, R, C, optional(x.scales), out.f32(), C);
  return out;
}

bool is_laid_out(const Right& right, DType dtype) {
  return right.packed && right.dtype == dtype;
}

Right forward_layout(Context& context, const Weight& w, const Tensor& numbers) {
  const int64_t N = numbers.extent(0), K = numbers.extent(1);
  if (w.packed != nullptr && is_laid_out(w.packed->forward, numbers.dtype()) &&
      numbers.dtype() == w.operand.codes.dtype()) {
    return w.packed->forward;
  }
  return arrange(context, K, N, source(numbers, true));
}

Right backward_layout(Context& context, const Weight& w) {
  if (w.packed != nullptr && is_laid_out(w.packed->backward, context.gradient_dtype))
    return w.packed->backward;
  const Tensor& codes = w.operand.codes;
  return arrange(context, codes.extent(0), codes.extent(1),
                 source(codes_as(context, context.gradient_dtype, codes)));
}

// The two products of a gradient, for a block of output features at a time.
class Gradients {
 public:
  // Lives as long as the caller's workspace scope.
  Gradients(Context& context, const Tensor& x_codes, const Weight& w, bool for_input,
            bool for_weight)
      : K_(x_codes.extent(1)) {
    if (for_input) weight_ = backward_layout(context, w);
    if (for_weight) {
      const Tensor x = codes_as(context, context.gradient_dtype, x_codes);
      input_ = arrange(context, x.extent(0), K_, source(x));
    }
    divisible_ = weight_.engine == Engine::kAmx || input_.engine == Engine::kAmx;
  }

  int64_t columns_at_once(int64_t N) const {
    return divisible_ ? std::min(kGradientColumns, N) : N;
  }

  // dx (+)= g codes_w and dw += h^T codes_x for features n0 .. n0 + columns, from their dy [T,
  // columns] with rows ld apart. Scales, dy begin at n0; dx and dw (whole; or null) at 0.
  void add(Context& context, int64_t T, int64_t n0, int64_t columns, const float* dy, int64_t ld,
           const float* x_scales, const float* w_scales, bool accumulate, float* dx,
           float* dw) const {
    Workspace::Scope scope(context.workspace);
    Left g, h;
    gradient_operands(context, T, columns, dy, ld, x_scales, w_scales, dx == nullptr ? nullptr : &g,
                      dw == nullptr ? nullptr : &h);
    if (dx != nullptr) {
      multiply(context, T, K_, columns, g, n0 == 0 ? weight_ : part(weight_, n0, 0), {}, accumulate,
               dx, K_);
    }
    if (dw != nullptr) multiply(context, columns, K_, T, h, input_, {}, true, dw + n0 * K_, K_);
  }

 private:
  int64_t K_;
  Right weight_, input_;
  bool divisible_;
};

}  // namespace

void pack_weight(Context& context, bool training, Weight& weight) {
  Workspace::Scope scope(context.workspace);
  const Tensor& codes = weight.operand.codes;
  const int64_t N = codes.extent(0), K = codes.extent(1);
  if (weight.packed == nullptr) weight.packed = std::make_shared<PackedWeight>();
  pack(context, K, N, source(codes, true), weight.packed->forward);
  if (training) {
    pack(context, N, K, source(codes_as(context, context.gradient_dtype, codes)),
         weight.packed->backward);
  } else {
    weight.packed->backward = {};
  }
}

void prepare_weight(Context& context, const Rounding& rounding, const Tensor& master, bool training,
                    Weight& out) {
  cpu::quantize(context, rounding, master, out.operand);
  cpu::pack_weight(context, training, out);
}

void linear_forward(Context& context, const Operand& x, const Weight& w, bool accumulate,
                    Tensor& y) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = y.extent(0), N = y.extent(1), K = x.codes.extent(1);
  if (x.codes.dtype() == DType::kBF16 && w.operand.codes.dtype() == DType::kBF16) {
    multiply(context, T, N, K, source(x.codes), forward_layout(context, w, w.operand.codes),
             {optional(x.scales), optional(w.operand.scales)}, accumulate, y.f32(), N);
  } else {
    multiply(context, T, N, K, source(values(context, x)),
             forward_layout(context, w, values(context, w.operand)), {}, accumulate, y.f32(), N);
  }
}

void linear_backward(Context& context, const Tensor& dy, const Operand& x, const Weight& w,
                     bool accumulate, Tensor* dx, Tensor* dw) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = dy.extent(0), N = dy.extent(1);
  const Gradients gradients(context, x.codes, w, dx != nullptr, dw != nullptr);
  const float* const w_scales = optional(w.operand.scales);
  for (int64_t n0 = 0; n0 < N; n0 += gradients.columns_at_once(N)) {
    const int64_t columns = std::min(gradients.columns_at_once(N), N - n0);
    gradients.add(context, T, n0, columns, dy.f32() + n0, N, optional(x.scales),
                  w_scales == nullptr ? nullptr : w_scales + n0, accumulate || n0 > 0,
                  dx == nullptr ? nullptr : dx->f32(), dw == nullptr ? nullptr : dw->f32());
  }
}

// --------------------------------------------------------------------------------- the head

namespace {

Operand rows_of(const Operand& x, int64_t begin, int64_t end) {
  return {x.codes.rows(begin, end), {}};
}

// f(begin, end) over pieces of [0, n).
template <class F>
void each_piece(int64_t n, int64_t size, F f) {
  for (int64_t begin = 0; begin < n; begin += size) f(begin, std::min(begin + size, n));
}

// All logits of a few rows at a time.
void head_by_rows(Context& context, const Operand& x, const Weight& head, const uint16_t* targets,
                  float gradient_scale, float* losses, float* dx, float* dhead) {
  const int64_t V = head.operand.codes.extent(0), d = head.operand.codes.extent(1);
  each_piece(x.codes.extent(0), kHeadRows, [&](int64_t begin, int64_t end) {
    Workspace::Scope scope(context.workspace);
    const Operand rows = rows_of(x, begin, end);
    Tensor logits = context.workspace.take(DType::kF32, {end - begin, V});
    cpu::head_logits(context, rows, head, logits);
    kernels(context).cross_entropy_gradient(logits.f32(), end - begin, V, targets + begin,
                                            gradient_scale, losses + begin,
                                            {nullptr, logits.f32(), V, false});
    const Gradients gradients(context, rows.codes, head, true, true);
    gradients.add(context, end - begin, 0, V, logits.f32(), V, nullptr, nullptr, false,
                  dx + begin * d, dhead);
  });
}

// A block of the vocabulary at a time for all rows, twice: for the sums of exponentials, then for
// the gradients. The logits are computed twice, but nothing of the size of the table (dhead above
// all) is read and written more than once; on AMX a product costs less than that traffic.
void head_by_columns(Context& context, const Tensor& x, const Right& table, const Weight& head,
                     const uint16_t* targets, float gradient_scale, float* losses, float* dx,
                     float* dhead) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = x.extent(0), V = table.N, d = table.K;
  const Kernels& kernel = kernels(context);
  float* const logits = context.workspace.take(DType::kF32, {T, kHeadBlockColumns}).f32();
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

  each_piece(V, kHeadBlockColumns, [&](int64_t begin, int64_t end) {
    multiply(context, T, end - begin, d, source(x), part(table, 0, begin), {}, false, logits,
             end - begin);
    each_target(begin, end, [&](int64_t t, int64_t at) { target_logits[t] = logits[at]; });
    kernel.exponentials_of_block(logits, T, end - begin, top, total);
  });
  for (int64_t t = 0; t < T; ++t) {
    losses[t] = std::log(total[t]) - (target_logits[t] - top[t]);
    factor[t] = gradient_scale / total[t];
  }
  const Gradients gradients(context, x, head, true, true);
  each_piece(V, kHeadBlockColumns, [&](int64_t begin, int64_t end) {
    multiply(context, T, end - begin, d, source(x), part(table, 0, begin), {}, false, logits,
             end - begin);
    kernel.softmax_of_block(logits, T, end - begin, top, factor);
    each_target(begin, end, [&](int64_t, int64_t at) { logits[at] -= gradient_scale; });
    gradients.add(context, T, begin, end - begin, logits, end - begin, nullptr, nullptr, begin > 0,
                  dx, dhead);
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
  each_piece(x.codes.extent(0), kHeadRows, [&](int64_t begin, int64_t end) {
    Workspace::Scope scope(context.workspace);
    Tensor logits = context.workspace.take(DType::kF32, {end - begin, V});
    cpu::head_logits(context, rows_of(x, begin, end), head, logits);
    kernels(context).cross_entropy(logits.f32(), end - begin, V, targets.data() + begin,
                                   losses.f32() + begin);
  });
}

void head_loss_backward(Context& context, const Operand& x, const Weight& head,
                        std::span<const uint16_t> targets, double gradient_scale, Tensor& losses,
                        Tensor& dx, Tensor& dhead) {
  const auto scale = static_cast<float>(gradient_scale);
  if (const std::optional<Right> table = divisible_table(context, x, head)) {
    const int64_t d = table->K;
    each_piece(x.codes.extent(0), kHeadBlockRows, [&](int64_t begin, int64_t end) {
      head_by_columns(context, x.codes.rows(begin, end), *table, head, targets.data() + begin,
                      scale, losses.f32() + begin, dx.f32() + begin * d, dhead.f32());
    });
  } else {
    head_by_rows(context, x, head, targets.data(), scale, losses.f32(), dx.f32(), dhead.f32());
  }
}

}  // namespace bitlaw::cpu
