// The optimizer's ops, one number at a time in double, rounded when stored.
#include <cmath>

#include "ops/ref/backend.h"

namespace bitlaw::ref {

void add_in_place(Context&, const Tensor& x, Tensor& y) {
  for (int64_t i = 0; i < y.elements(); ++i) y.set(i, y.at(i) + x.at(i));
}

double sum_of_squares(Context&, const Tensor& x) {
  double sum = 0;
  for (int64_t i = 0; i < x.elements(); ++i) sum += x.at(i) * x.at(i);
  return sum;
}

void adamw_update(Context&, const AdamW& settings, const Tensor& gradients, Tensor& w,
                  Tensor& first, Tensor& second) {
  const double beta1 = settings.beta1, beta2 = settings.beta2;
  const double step = static_cast<double>(settings.step);
  const double correction1 = 1 - std::pow(beta1, step), correction2 = 1 - std::pow(beta2, step);
  for (int64_t i = 0; i < w.elements(); ++i) {
    const double g = gradients.at(i) * settings.gradient_scale;
    const double m = beta1 * first.at(i) + (1 - beta1) * g;
    const double v = beta2 * second.at(i) + (1 - beta2) * g * g;
    const double direction = m / correction1 / (std::sqrt(v / correction2) + settings.epsilon);
    first.set(i, m);
    second.set(i, v);
    w.set(i, w.at(i) - settings.learning_rate * (direction + settings.weight_decay * w.at(i)));
  }
}

}  // namespace bitlaw::ref
