#include "plan/forms.h"

#include <cmath>

#include "base/search.h"

namespace bitlaw {
namespace {

double constant(const Law& law, const double* p, const char* name, double otherwise) {
  const int i = parameter_index(law, name);
  return i < 0 ? otherwise : p[i];
}

Observation observation(double params, double tokens, const Bits& bits, double post_bits) {
  Observation run;
  run.params = params, run.tokens = tokens;
  run.bits_weights = bits.weights, run.bits_activations = bits.activations, run.bits_kv = bits.kv;
  run.bits_post = post_bits;
  return run;
}

}  // namespace

bool EffectiveForm::fits(const Law& law, std::span<const double> values) {
  if (!law.has_share) return false;
  const EffectiveForm form(law, values);
  struct Point {
    double params, tokens;
    Bits bits;
  };
  for (const Point& at : {Point{1e7, 1e9, {}}, Point{1e11, 1e10, {8, 9, 10}},
                          Point{1e8, 1e13, {12, 6, 7}}, Point{3e9, 1e8, {5, 16, 11}}}) {
    const double expected =
        constant(law, values.data(), "E", 0) +
        form.A_ * std::exp(-form.alpha_ * (std::log(at.params) + form.log_share(at.bits))) +
        form.B_ * std::exp(-form.beta_ * std::log(at.tokens));
    const double actual = form.loss(at.params, at.tokens, at.bits);
    if (!(std::fabs(actual - expected) <= 1e-12 * std::fabs(expected))) return false;
  }
  return true;
}

EffectiveForm::EffectiveForm(const Law& law, std::span<const double> values)
    : law_(&law),
      p_(values.data()),
      A_(constant(law, p_, "A", 0)),
      B_(constant(law, p_, "B", 0)),
      alpha_(constant(law, p_, "alpha", 1)),
      beta_(constant(law, p_, "beta", 1)) {}

double EffectiveForm::log_share(const Bits& bits) const {
  return bitlaw::log_share(*law_, p_, observation(1, 1, bits, 0));
}

double EffectiveForm::loss(double params, double tokens, const Bits& bits, double post_bits) const {
  return predict(*law_, p_, observation(params, tokens, bits, post_bits));
}

double EffectiveForm::best_params(double product, const Bits& bits) const {
  const double log_ratio =
      std::log(alpha_ * A_ / (beta_ * B_)) - alpha_ * log_share(bits) + beta_ * std::log(product);
  return std::exp(log_ratio / (alpha_ + beta_));
}

double EffectiveForm::balanced_bits(double params, double tokens, double low, double high) const {
  const double data = std::log(beta_ * B_) - beta_ * std::log(tokens);
  return find_root(
      [&](double bits) {
        const double h = 1e-5 * bits;  // dlog f/dlog P by central differences, exact to 1e-9
        const double slope =
            (log_share(Bits::all(bits + h)) - log_share(Bits::all(bits - h))) / (2e-5);
        const double size = std::log(alpha_ * A_) -
                            alpha_ * (std::log(params) + log_share(Bits::all(bits))) +
                            std::log(slope);
        return size - data;
      },
      low, high);
}

}  // namespace bitlaw
