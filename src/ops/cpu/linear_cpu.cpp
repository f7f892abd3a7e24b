// Products with a prepared weight, and the output head with its loss.
//
// Every product here has one of two types: BF16 where both operands are BF16 numbers, F32
// otherwise. An operand that is not of the product's type is converted into the workspace first:
// codes to values (forward), F32 numbers to BF16 (backward), BF16 codes to F32 (backward with
// gradients in F32).
#include <algorithm>

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

constexpr int64_t kHeadRows = 64;  // rows of logits at a time

uint16_t* words(const Tensor& codes) {
  return reinterpret_cast<uint16_t*>(codes.bf16());
}
const float* optional(const Tensor& scales) {
  return scales.defined() ? scales.f32() : nullptr;
}

RowTarget target(const Tensor& out) {
  const bool bf16 = out.dtype() == DType::kBF16;
  return {bf16 ? words(out) : nullptr, bf16 ? nullptr : out.f32(), out.extent(1), false};
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

// dx (+)= g codes_w, g [T, N]
void input_gradient(Context& context, const Left& g, int64_t T, const Weight& w, bool accumulate,
                    float* dx) {
  Workspace::Scope scope(context.workspace);
  const int64_t N = w.operand.codes.extent(0), K = w.operand.codes.extent(1);
  multiply(context, T, K, N, g, backward_layout(context, w), {}, accumulate, dx, K);
}

// dw += h codes_x, h [N, T]
void weight_gradient(Context& context, const Left& h, int64_t N, const Tensor& x_codes, float* dw) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = x_codes.extent(0), K = x_codes.extent(1);
  const Tensor x = codes_as(context, context.gradient_dtype, x_codes);
  multiply(context, N, K, T, h, arrange(context, T, K, source(x)), {}, true, dw, K);
}

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
  Left g, h;
  gradient_operands(context, dy, optional(x.scales), optional(w.operand.scales),
                    dx == nullptr ? nullptr : &g, dw == nullptr ? nullptr : &h);
  if (dx != nullptr) input_gradient(context, g, T, w, accumulate, dx->f32());
  if (dw != nullptr) weight_gradient(context, h, N, x.codes, dw->f32());
}

// --------------------------------------------------------------------------------- the head

namespace {

Operand rows_of(const Operand& x, int64_t begin, int64_t end) {
  return {x.codes.rows(begin, end), {}};
}

// f(begin, end) over chunks of rows.
template <class F>
void each_chunk(int64_t T, F f) {
  for (int64_t begin = 0; begin < T; begin += kHeadRows) f(begin, std::min(begin + kHeadRows, T));
}

}  // namespace

void head_logits(Context& context, const Operand& x, const Weight& head, Tensor& logits) {
  cpu::linear_forward(context, x, head, false, logits);
}

void head_loss(Context& context, const Operand& x, const Weight& head,
               std::span<const uint16_t> targets, Tensor& losses) {
  const int64_t V = head.operand.codes.extent(0);
  each_chunk(x.codes.extent(0), [&](int64_t begin, int64_t end) {
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
  const int64_t V = head.operand.codes.extent(0), d = head.operand.codes.extent(1);
  each_chunk(x.codes.extent(0), [&](int64_t begin, int64_t end) {
    Workspace::Scope scope(context.workspace);
    const Operand rows = rows_of(x, begin, end);
    Tensor logits = context.workspace.take(DType::kF32, {end - begin, V});
    const Tensor gradient = context.workspace.take(context.gradient_dtype, {end - begin, V});
    cpu::head_logits(context, rows, head, logits);
    kernels(context).cross_entropy_gradient(logits.f32(), end - begin, V, targets.data() + begin,
                                            static_cast<float>(gradient_scale),
                                            losses.f32() + begin, target(gradient));
    input_gradient(context, source(gradient), end - begin, head, false, dx.f32() + begin * d);
    weight_gradient(context, source(gradient, true), V, rows.codes, dhead.f32());
  });
}

}  // namespace bitlaw::cpu
