// Products with a weight matrix, in double on the rounded operands.
#include "ops/ref/backend.h"
#include "ops/ref/numbers.h"

namespace bitlaw::ref {

void prepare_weight(Context& c, const Rounding& rounding, const Tensor& master, bool, Weight& out) {
  ref::quantize(c, rounding, master, out.operand);
}

void pack_weight(Context&, bool, Weight& weight) {
  weight.packed = nullptr;
}

void linear_forward(Context&, const Operand& x_operand, const Weight& weight, bool accumulate,
                    Tensor& y) {
  const int64_t T = y.extent(0), N = y.extent(1), K = x_operand.codes.extent(1);
  Matrix x = matrix(x_operand), w = matrix(weight.operand);
  match(x, w);
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t n = 0; n < N; ++n) {
      const float scale = static_cast<float>(x.scales[t] * w.scales[n]);
      const double product = dot(&x.codes[t * K], &w.codes[n * K], K) * scale;
      y.set(t * N + n, accumulate ? y.at(t * N + n) + product : product);
    }
  }
}

void linear_forward_add(Context& c, const Tensor& addend, const Operand& x, const Weight& w,
                        Tensor& y) {
  if (y.raw() != addend.raw()) y.copy_from(addend);
  ref::linear_forward(c, x, w, true, y);
}

void linear_backward(Context& c, const Tensor& dy_tensor, const Operand& x_operand,
                     const Weight& weight, bool accumulate, Tensor* dx, WeightGradient gradient) {
  Tensor* const dw = gradient.dw;
  const GradientRounding round(c, dy_tensor.dtype());
  const int64_t T = dy_tensor.extent(0), N = dy_tensor.extent(1), K = x_operand.codes.extent(1);
  const std::vector<double> dy = numbers(dy_tensor);
  Matrix x = matrix(x_operand), w = matrix(weight.operand);
  for (double& code : x.codes) code = round(code);
  for (double& code : w.codes) code = round(code);

  if (dx != nullptr) {
    std::vector<double> row(static_cast<size_t>(K));
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t k = 0; k < K; ++k) row[k] = accumulate ? dx->at(t * K + k) : 0;
      for (int64_t n = 0; n < N; ++n) {
        const double g = round(dy[t * N + n] * w.scales[n]);
        for (int64_t k = 0; k < K; ++k) row[k] += g * w.codes[n * K + k];
      }
      for (int64_t k = 0; k < K; ++k) dx->set(t * K + k, row[k]);
    }
  }
  if (dw != nullptr) {
    if (gradient.fresh) dw->fill_zero();
    std::vector<double> sums = numbers(*dw);
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t n = 0; n < N; ++n) {
        const double h = round(dy[t * N + n] * x.scales[t]);
        for (int64_t k = 0; k < K; ++k) sums[n * K + k] += h * x.codes[t * K + k];
      }
    }
    store(sums, *dw);
  }
}

}  // namespace bitlaw::ref
