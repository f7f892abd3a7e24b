// Products with a prepared weight, forward.
//
// A product has one of three kinds: BF16 codes, with scales applied afterwards; BF16 terms
// (split_products.h); or F32 values. Codes are converted to values, and for the backward pass to
// the gradients' type, in the workspace.
#include "ops/cpu/weights_cpu.h"

namespace bitlaw::cpu {

Tensor values(Context& context, const Operand& x) {
  const bool bf16 = x.codes.dtype() == DType::kBF16;
  if (!bf16 && !x.scales.defined()) return x.codes;
  const Kernels& kernel = kernels(context);
  const int64_t R = x.codes.extent(0), C = x.codes.extent(1);
  const Tensor out = context.workspace.take(DType::kF32, {R, C});
  if (x.group != 0) {
    kernel.group_values(bf16 ? words(x.codes) : nullptr, bf16 ? nullptr : x.codes.f32(),
                        x.scales.f32(), R, C, x.group, nullptr, out.f32());
  } else if (bf16) {
    kernel.widen(words(x.codes), C, R, C, row_scales(x), out.f32(), C);
  } else {
    kernel.scale_rows(x.codes.f32(), C, R, C, row_scales(x), nullptr,
                      {nullptr, out.f32(), C, false});
  }
  return out;
}

Tensor gradient_numbers(Context& context, const Operand& x) {
  const DType dtype = context.gradient_dtype;
  const bool from_bf16 = x.codes.dtype() == DType::kBF16, to_bf16 = dtype == DType::kBF16;
  if (x.group == 0 && x.codes.dtype() == dtype) return x.codes;
  if (x.group != 0 && !to_bf16) return values(context, x);
  const Kernels& kernel = kernels(context);
  const int64_t R = x.codes.extent(0), C = x.codes.extent(1);
  const Tensor out = context.workspace.take(dtype, {R, C});
  if (x.group != 0) {
    kernel.group_values(from_bf16 ? words(x.codes) : nullptr, from_bf16 ? nullptr : x.codes.f32(),
                        x.scales.f32(), R, C, x.group, words(out), nullptr);
  } else if (to_bf16) {
    kernel.round_bf16(x.codes.f32(), R * C, words(out));
  } else {
    kernel.widen(words(x.codes), C, R, C, nullptr, out.f32(), C);
  }
  return out;
}

bool is_laid_out(const Right& right, DType dtype) {
  return right.packed && right.dtype == dtype;
}

Right forward_layout(Context& context, const Weight& w, const Tensor& numbers) {
  if (const Layouts* own = layouts(w); own != nullptr && is_laid_out(own->forward, numbers.dtype()))
    return own->forward;
  return arrange(context, numbers.extent(1), numbers.extent(0), source(numbers, true));
}

Right backward_layout(Context& context, const Weight& w) {
  if (const Layouts* own = layouts(w);
      own != nullptr && is_laid_out(own->backward, context.gradient_dtype))
    return own->backward;
  const Tensor numbers = gradient_numbers(context, w.operand);
  return arrange(context, numbers.extent(0), numbers.extent(1), source(numbers));
}

void pack_weight(Context& context, bool training, Weight& weight) {
  Workspace::Scope scope(context.workspace);
  const Operand& w = weight.operand;
  const int64_t N = w.codes.extent(0), K = w.codes.extent(1);
  if (weight.packed == nullptr) weight.packed = std::make_shared<Layouts>();
  auto& own = static_cast<Layouts&>(*weight.packed);
  if (is_packed_split(context, w)) {
    pack_split(w, own.split);
    own.forward = {};
  } else {
    pack(context, K, N, source(is_plain(w) ? w.codes : values(context, w), true), own.forward);
    own.split = {};
  }
  if (training) {
    pack(context, N, K, source(gradient_numbers(context, w)), own.backward);
  } else {
    own.backward = {};
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
  if (is_plain(x) && is_plain(w.operand)) {
    multiply_add(context, T, N, K, source(x.codes), forward_layout(context, w, w.operand.codes),
                 {row_scales(x), row_scales(w.operand)}, addend, y.f32(), N);
  } else if (is_split_product(context, x, w.operand)) {
    const Layouts* const own = layouts(w);
    multiply_split(context, x, w.operand, own == nullptr ? nullptr : &own->split,
                   own == nullptr ? nullptr : &own->forward, addend, y.f32());
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
