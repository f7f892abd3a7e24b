#include "ops/loss.h"

#include <algorithm>

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

const Rounding kExact{fp32_format()};
constexpr double kGradientScale = 1.0 / 96;

struct Result {
  Tensor losses, only_losses, logits, dx, dhead;
};

Result run(Context c, const Operand& x, const Rounding& rounding, const Tensor& table,
           const std::vector<uint16_t>& targets, const Tensor& dhead0) {
  const int64_t T = x.codes.extent(0), V = table.extent(0), d = table.extent(1);
  const DType real = table.dtype();
  Result out{Tensor::empty(real, {T}), Tensor::empty(real, {T}), Tensor::empty(real, {T, V}),
             Tensor::empty(real, {T, d}), copy(dhead0)};
  const Weight head = prepared(c, rounding, table);
  head_loss(c, x, head, targets, out.only_losses);
  head_logits(c, x, head, out.logits);
  head_loss_backward(c, x, head, targets, kGradientScale, out.losses, out.dx, &out.dhead);
  return out;
}

TEST(HeadLossReference, BackwardIsTheDerivative) {
  Context c = reference();
  const int64_t T = 3, V = 5, d = 4;
  const std::vector<uint16_t> targets = cases::tokens(T, V, 1);
  const Operand x{cases::normal({T, d}, 2, 1, DType::kF64), {}};
  const Tensor table = cases::normal({V, d}, 3, 1, DType::kF64);
  Tensor losses = Tensor::empty(DType::kF64, {T});
  const auto f = [&] {
    head_loss(c, x, prepared(c, kExact, table), targets, losses);
    double sum = 0;
    for (int64_t t = 0; t < T; ++t) sum += losses.at(t) * kGradientScale;
    return sum;
  };
  const double magnitude = f();
  const Result result = run(c, x, kExact, table, targets, Tensor::zeros(DType::kF64, {V, d}));
  expect_gradient(f, x.codes, result.dx, magnitude, "dx");
  expect_gradient(f, table, result.dhead, magnitude, "dhead");
}

// Equal logits cost log V for every target.
TEST(HeadLossReference, KnowingNothingCostsLogV) {
  for (int64_t V : {3, 257, 1000}) {
    const Operand x = rounded({bf16_format()}, cases::normal({2, 16}, 1));
    const Tensor table = Tensor::zeros(DType::kF32, {V, 16});
    const Result result = run(reference(), x, {bf16_format()}, table, {0, 2}, table);
    const double log_V = std::log(static_cast<double>(V));
    EXPECT_NEAR(result.losses.at(0), log_V, u * log_V);
    EXPECT_NEAR(result.losses.at(1), log_V, u * log_V);
  }
}

TEST(HeadLossReference, LossesAreThoseOfTheLogits) {
  for (const auto& [T, V, d] : cases::kHeadLosses) {
    const Operand x = rounded({bf16_format()}, cases::normal({T, d}, 1));
    const Tensor table = cases::normal({V, d}, 2, 0.3);
    const std::vector<uint16_t> targets = cases::tokens(T, V, 3);
    const Result result = run(reference(), x, {bf16_format()}, table, targets, table);
    expect_same_bits(result.only_losses, result.losses, "losses");
    for (int64_t t = 0; t < T; ++t) {
      double sum = 0, largest = 0;
      for (int64_t v = 0; v < V; ++v) {
        sum += std::exp(result.logits.at(t * V + v));
        largest = std::max(largest, std::fabs(result.logits.at(t * V + v)));
      }
      const double target = result.logits.at(t * V + targets[t]);
      // Each logit was rounded to float once, and so was the loss.
      EXPECT_NEAR(result.losses.at(t), std::log(sum) - target,
                  2 * u * largest + u * result.losses.at(t) + 0x1p-45);
    }
  }
}

TEST(HeadLossCpu, MatchesTheReference) {
  for (const auto& [T, V, d] : cases::kHeadLosses) {
    const Tensor x_values = cases::normal({T, d}, 1), table = cases::normal({V, d}, 2, 0.3);
    const Tensor dhead0 = cases::normal({V, d}, 3, 0.01);
    const std::vector<uint16_t> targets = cases::tokens(T, V, 4);
    for (const Rounding& rounding : {Rounding{bf16_format()}, kExact}) {
      for (DType gradient_dtype : {DType::kBF16, DType::kF32}) {
        SCOPED_TRACE(testing::Message()
                     << T << " tokens of " << V << ", d " << d << " " << cases::text(rounding)
                     << " gradients " << name_of(gradient_dtype));
        const Operand x = rounded(rounding, x_values), head = rounded(rounding, table);
        const Result expected = run(reference(gradient_dtype), x, rounding, table, targets, dhead0);
        const std::vector<double> codes = numbers(x.codes), head_codes = numbers(head.codes),
                                  logits = numbers(expected.logits);

        std::vector<double> logit_bound(static_cast<size_t>(T * V)), loss_bound;
        std::vector<double> dx_bound(static_cast<size_t>(T * d)), dhead_bound;
        for (int64_t i = 0; i < V * d; ++i) {
          dhead_bound.push_back(static_cast<double>(T + 4) * u * std::fabs(dhead0.at(i)));
        }
        for (int64_t t = 0; t < T; ++t) {
          double largest = -1e30, smallest = 1e30, error = 0, sum = 0;
          for (int64_t v = 0; v < V; ++v) {
            double magnitude = 0;
            for (int64_t i = 0; i < d; ++i) {
              magnitude += std::fabs(codes[t * d + i] * head_codes[v * d + i]);
            }
            const double logit = logits[t * V + v];
            logit_bound[t * V + v] = (static_cast<double>(d) + 2) * u * magnitude;
            error = std::max(error, logit_bound[t * V + v] + u * std::fabs(logit));
            largest = std::max(largest, logit), smallest = std::min(smallest, logit);
          }
          for (int64_t v = 0; v < V; ++v) sum += std::exp(logits[t * V + v] - largest);
          const double log_sum = largest + std::log(sum);
          // The worst logit, the distance to the largest, V exponentials and their sum, the
          // logarithm.
          const double log_sum_error = error + 2 * u * (largest - smallest) + kExp +
                                       (static_cast<double>(V) + 4) * u + kExp * std::log(sum) +
                                       2 * u * std::fabs(log_sum);
          const double target_logit = logits[t * V + targets[t]];
          loss_bound.push_back(log_sum_error + error + 2 * u * std::fabs(target_logit));
          for (int64_t v = 0; v < V; ++v) {
            const double logit = logits[t * V + v];
            const double p = std::exp(logit - log_sum);
            const double relative =
                log_sum_error + error + 2 * u * std::fabs(logit - log_sum) + kExp;
            const double difference = p - (v == targets[t] ? 1 : 0);
            const double gradient = difference * kGradientScale;
            const double gradient_error =
                kGradientScale * (p * relative + 3 * u * (p + std::fabs(difference)));
            const double thrown = spread(gradient, gradient_error, gradient_dtype == DType::kBF16);
            const double size = (std::fabs(gradient) + thrown) * (1 + 0x1p-7) * u;
            for (int64_t i = 0; i < d; ++i) {
              dx_bound[t * d + i] += std::fabs(head_codes[v * d + i]) * (1 + 0x1p-7) *
                                     (thrown + static_cast<double>(V + 4) * size);
              dhead_bound[v * d + i] += std::fabs(codes[t * d + i]) * (1 + 0x1p-7) *
                                        (thrown + static_cast<double>(T + 4) * size);
            }
          }
        }
        for (Isa isa : machine_isas()) {
          SCOPED_TRACE(name_of(isa));
          const Result actual = run(cpu(isa, gradient_dtype), x, rounding, table, targets, dhead0);
          expect_within(actual.logits, expected.logits, logit_bound, "logits");
          expect_within(actual.losses, expected.losses, loss_bound, "losses");
          expect_within(actual.only_losses, expected.losses, loss_bound, "losses alone");
          expect_within(actual.dx, expected.dx, dx_bound, "dx");
          expect_within(actual.dhead, expected.dhead, dhead_bound, "dhead");
        }
      }
    }
  }
}

// A late column of the vocabulary may outweigh the early ones beyond the range of float: e^200 is
// not one. The loss is the distance of two logits then, and every other gradient is zero.
TEST(HeadLossCpu, OneLogitMayDwarfAllBefore) {
  const int64_t T = 40, V = 600, d = 32, late = 500;
  for (Isa isa : machine_isas()) {
    Tensor x_values = Tensor::zeros(DType::kF32, {T, d}),
           table = Tensor::zeros(DType::kF32, {V, d});
    for (int64_t t = 0; t < T; ++t) x_values.set(t * d, 1);
    table.set(late * d, 200);
    const Rounding rounding{bf16_format()};
    const std::vector<uint16_t> targets(static_cast<size_t>(T), 3);
    const Result result = run(cpu(isa), rounded(rounding, x_values), rounding, table, targets,
                              Tensor::zeros(DType::kF32, {V, d}));
    for (int64_t t = 0; t < T; ++t) {
      EXPECT_NEAR(result.losses.at(t), 200, 4 * u * 200) << name_of(isa);
      EXPECT_NEAR(result.only_losses.at(t), 200, 4 * u * 200) << name_of(isa);
      // dx = gradient_scale (table[late] - table[3])
      EXPECT_NEAR(result.dx.at(t * d), 200 * kGradientScale, 200 * kGradientScale * 0x1p-8);
    }
    EXPECT_NEAR(result.dhead.at(0), 0, kTiny) << name_of(isa);
  }
}

}  // namespace
}  // namespace bitlaw
