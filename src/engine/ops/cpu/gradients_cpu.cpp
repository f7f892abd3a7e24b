#include "ops/cpu/gradients_cpu.h"

namespace bitlaw::cpu {

Gradients::Gradients(Context& context, const Operand& x, const Weight& w, bool for_input,
                     WeightGradient dw)
    : K_(x.codes.extent(1)), dw_(dw) {
  if (for_input) weight_ = backward_layout(context, w);
  if (dw.dw != nullptr) {
    const Tensor numbers = gradient_numbers(context, x);
    input_ = arrange(context, numbers.extent(0), K_, source(numbers));
  }
  divisible_ = weight_.engine == Engine::kAmx || input_.engine == Engine::kAmx;
}

int64_t Gradients::columns_at_once(int64_t T, int64_t N) const {
  if (!divisible_) return N;
  const int64_t most = std::max(kColumns, kNear / T), pieces = (N + most - 1) / most;
  return ((N + pieces - 1) / pieces + 31) / 32 * 32;
}

void Gradients::add(Context& context, int64_t T, int64_t n0, int64_t columns, const float* dy,
                    int64_t ld, const float* x_scales, const float* w_scales, bool accumulate,
                    float* dx) const {
  Workspace::Scope scope(context.workspace);
  Left g, h;
  gradient_operands(context, T, columns, dy, ld, x_scales, w_scales, dx == nullptr ? nullptr : &g,
                    dw_.dw == nullptr ? nullptr : &h);
  multiply_block(context, T, n0, 0, columns, g, h, accumulate, dx);
}

void Gradients::multiply_block(Context& context, int64_t T, int64_t n0, int64_t lead,
                               int64_t columns, const Left& g, const Left& h, bool accumulate,
                               float* dx) const {
  if (dx != nullptr) {
    const int64_t begin = n0 - lead;
    multiply(context, T, K_, lead + columns, g, begin == 0 ? weight_ : part(weight_, begin, 0), {},
             accumulate, dx, K_);
  }
  if (dw_.dw != nullptr) multiply_for_weight(context, T, n0, columns, h);
}

void Gradients::multiply_for_input(Context& context, int64_t T, int64_t N, const Left& g,
                                   float* dx) const {
  multiply(context, T, K_, N, g, weight_, {}, false, dx, K_);
}

void Gradients::multiply_for_weight(Context& context, int64_t T, int64_t n0, int64_t columns,
                                    const Left& h) const {
  multiply(context, columns, K_, T, h, input_, {}, !dw_.fresh, dw_.dw->f32() + n0 * K_, K_);
}

void linear_backward(Context& context, const Tensor& dy, const Operand& x, const Weight& w,
                     bool accumulate, Tensor* dx, WeightGradient dw) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = dy.extent(0), N = dy.extent(1);
  const Gradients gradients(context, x, w, dx != nullptr, dw);
  const float* const w_scales = row_scales(w.operand);
  const int64_t at_once = gradients.columns_at_once(T, N);
  for (int64_t n0 = 0; n0 < N; n0 += at_once) {
    const int64_t columns = std::min(at_once, N - n0);
    gradients.add(context, T, n0, columns, dy.f32() + n0, N, row_scales(x),
                  w_scales == nullptr ? nullptr : w_scales + n0, accumulate || n0 > 0,
                  dx == nullptr ? nullptr : dx->f32());
  }
}

}  // namespace bitlaw::cpu
