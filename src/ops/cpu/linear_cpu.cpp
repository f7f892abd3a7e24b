// Products with a prepared weight, forward.
//
// Every product here has one of two types: BF16 where both operands are BF16 numbers, F32
// otherwise. An operand that is not of the product's type is converted into the workspace first:
// codes to values (forward), F32 numbers to BF16 (backward), BF16 codes to F32 (backward with
// gradients in F32).
#include "ops/cpu/weights_cpu.h"

namespace bitlaw::cpu {

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

namespace {

void forward(Context& context, const float* addend, const Operand& x, const Weight& w, Tensor& y) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = y.extent(0), N = y.extent(1), K = x.codes.extent(1);
  if (x.codes.dtype() == DType::kBF16 && w.operand.codes.dtype() == DType::kBF16) {
    multiply_add(context, T, N, K, source(x.codes), forward_layout(context, w, w.operand.codes),
                 {optional(x.scales), optional(w.operand.scales)}, addend, y.f32(), N);
  } else {
    multiply_add(context, T, N, K, source(values(context, x)),
                 forward_layout(context, w, values(context, w.operand)), {}, addend, y.f32(), N);
  }
}

}  // namespace

void linear_forward(Context& context, const Operand& x, const Weight& w, bool accumulate,
                    Tensor& y) {
  forward(context, accumulate ? y.f32() : nullptr, x, w, y);
}

void linear_forward_add(Context& context, const Tensor& addend, const Operand& x, const Weight& w,
                        Tensor& y) {
  forward(context, addend.f32(), x, w, y);
}

}  // namespace bitlaw::cpu
