// Gated activation: y = silu(gate) up, with silu(z) = z sigma(z), silu'(z) = sigma(z) (1 + z (1 -
// sigma(z))).
#include <cmath>

#include "ops/ref/backend.h"

namespace bitlaw::ref {
namespace {

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

}  // namespace

void swiglu(Context&, const Tensor& gate_up, Tensor& y) {
  const int64_t T = y.extent(0), F = y.extent(1);
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t f = 0; f < F; ++f) {
      const double gate = gate_up.at(t * 2 * F + f), up = gate_up.at(t * 2 * F + F + f);
      y.set(t * F + f, gate * sigmoid(gate) * up);
    }
  }
}

void swiglu_backward(Context&, const Tensor& dy, const Tensor& gate_up, Tensor& dgate_up) {
  const int64_t T = dy.extent(0), F = dy.extent(1);
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t f = 0; f < F; ++f) {
      const int64_t gate_at = t * 2 * F + f, up_at = gate_at + F;
      const double gate = gate_up.at(gate_at), up = gate_up.at(up_at), d = dy.at(t * F + f);
      const double sigma = sigmoid(gate);
      dgate_up.set(gate_at, d * up * sigma * (1 + gate * (1 - sigma)));
      dgate_up.set(up_at, d * gate * sigma);
    }
  }
}

}  // namespace bitlaw::ref
