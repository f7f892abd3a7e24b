// Output head and cross-entropy, a row of logits at a time.
#include <algorithm>
#include <cmath>

#include "ops/ref/backend.h"
#include "ops/ref/numbers.h"

namespace bitlaw::ref {
namespace {

struct Head {
  Matrix x, table;
  int64_t T, V, d;

  Head(const Operand& x_operand, const Weight& head)
      : x(matrix(x_operand)),
        table(matrix(head.operand)),
        T(x_operand.codes.extent(0)),
        V(head.operand.codes.extent(0)),
        d(x_operand.codes.extent(1)) {}

  std::vector<double> logits(int64_t t) const {
    std::vector<double> row(static_cast<size_t>(V));
    for (int64_t v = 0; v < V; ++v) row[v] = dot(&x.codes[t * d], &table.codes[v * d], d);
    return row;
  }
};

double log_sum_exp(const std::vector<double>& row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double logit : row) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

}  // namespace

void head_loss(Context&, const Operand& x, const Weight& head_weight,
               std::span<const uint16_t> targets, Tensor& losses) {
  const Head head(x, head_weight);
  for (int64_t t = 0; t < head.T; ++t) {
    const std::vector<double> logits = head.logits(t);
    losses.set(t, log_sum_exp(logits) - logits[targets[t]]);
  }
}

void head_loss_backward(Context& c, const Operand& x, const Weight& head_weight,
                        std::span<const uint16_t> targets, double gradient_scale, Tensor& losses,
                        Tensor& dx, WeightGradient dhead) {
  const Head head(x, head_weight);
  const Tensor dlogits = Tensor::empty(losses.dtype(), {head.T, head.V});
  for (int64_t t = 0; t < head.T; ++t) {
    const std::vector<double> logits = head.logits(t);
    const double log_sum = log_sum_exp(logits);
    losses.set(t, log_sum - logits[targets[t]]);
    for (int64_t v = 0; v < head.V; ++v) {
      const double target = v == targets[t] ? 1 : 0;
      dlogits.set(t * head.V + v, (std::exp(logits[v] - log_sum) - target) * gradient_scale);
    }
  }
  ref::linear_backward(c, dlogits, x, head_weight, false, &dx, dhead);
}

void head_logits(Context&, const Operand& x, const Weight& head_weight, Tensor& logits) {
  const Head head(x, head_weight);
  for (int64_t t = 0; t < head.T; ++t) store(head.logits(t), logits.rows(t, t + 1));
}

}  // namespace bitlaw::ref
