// The ops that are one kernel: norm, gated activation, rotation, embedding, and the optimizer's.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "formats/rotation.h"
#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"
#include "ops/cpu/words.h"

namespace bitlaw::cpu {

void rms_norm(Context& context, const Tensor& x, const Tensor& weight, double epsilon, Tensor& y,
              Tensor& rstd) {
  kernels(context).rms_norm(x.f32(), weight.f32(), static_cast<float>(epsilon), x.extent(0),
                            x.extent(1), y.f32(), rstd.f32());
}

void rms_norm_backward(Context& context, const Tensor& dy, const Tensor& x, const Tensor& weight,
                       const Tensor& rstd, bool accumulate, Tensor& dx, Tensor& dweight) {
  kernels(context).rms_norm_backward(dy.f32(), x.f32(), weight.f32(), rstd.f32(), x.extent(0),
                                     x.extent(1), accumulate, dx.f32(), dweight.f32());
}

void swiglu(Context& context, const Tensor& gate_up, Tensor& y) {
  const int64_t T = y.extent(0), F = y.extent(1);
  kernels(context).swiglu(gate_up.f32(), gate_up.f32() + F, 2 * F, T, F, {}, {}, y.f32(), F);
}

void swiglu_backward(Context& context, const Tensor& dy, const Tensor& gate_up, Tensor& dgate_up) {
  const int64_t T = dy.extent(0), F = dy.extent(1);
  kernels(context).swiglu_backward(dy.f32(), F, {nullptr, gate_up.f32(), 2 * F, F}, T, F,
                                   dgate_up.f32(), dgate_up.f32() + F, 2 * F);
}

void rotate(Context& context, int64_t width, const Tensor& x, Tensor& y) {
  kernels(context).rotate_blocks(x.f32(), x.elements(), width, rotation_factor<float>(width),
                                 y.f32());
}

void keep_trusted(Context& context, const Tensor& trusted, Tensor& x) {
  kernels(context).multiply(words(trusted), x.elements(), x.f32());
}

void embed(Context&, std::span<const uint16_t> tokens, const Tensor& table, Tensor& y) {
  const int64_t d = table.extent(1);
  float* to = y.f32();
  for (uint16_t token : tokens) {
    std::memcpy(to, table.f32() + token * d, static_cast<size_t>(d) * sizeof(float));
    to += d;
  }
}

void embed_backward(Context& context, std::span<const uint16_t> tokens, const Tensor& dy,
                    Tensor& dtable) {
  const int64_t d = dtable.extent(1);
  const float* from = dy.f32();
  for (uint16_t token : tokens) {
    kernels(context).add(from, d, dtable.f32() + token * d);
    from += d;
  }
}

void add_in_place(Context& context, const Tensor& x, Tensor& y) {
  kernels(context).add(x.f32(), x.elements(), y.f32());
}

double sum_of_squares(Context& context, const Tensor& x) {
  return kernels(context).sum_of_squares(x.f32(), x.elements());
}

void adamw_update(Context& context, const AdamW& settings, const Tensor& g, Tensor& w, Tensor& m,
                  Tensor& v) {
  const auto step = static_cast<double>(settings.step);
  const AdamWFactors factors{
      .beta1 = static_cast<float>(settings.beta1),
      .one_minus_beta1 = static_cast<float>(1 - settings.beta1),
      .beta2 = static_cast<float>(settings.beta2),
      .one_minus_beta2 = static_cast<float>(1 - settings.beta2),
      .inverse_m = static_cast<float>(1 / (1 - std::pow(settings.beta1, step))),
      .inverse_v = static_cast<float>(1 / (1 - std::pow(settings.beta2, step))),
      .epsilon = static_cast<float>(settings.epsilon),
      .learning_rate = static_cast<float>(settings.learning_rate),
      .weight_decay = static_cast<float>(settings.weight_decay),
      .gradient_scale = static_cast<float>(settings.gradient_scale)};
  kernels(context).adamw(factors, g.f32(), g.elements(), w.f32(), m.f32(), v.f32());
}

}  // namespace bitlaw::cpu
