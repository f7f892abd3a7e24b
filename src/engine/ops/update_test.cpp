#include "ops/update.h"

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

constexpr int64_t kSizes[] = {1, 7, 16, 33, 64, 100, 1000, 4099};

AdamW settings(int64_t step) {
  return {.learning_rate = 3e-3,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .epsilon = 1e-8,
          .weight_decay = 0.1,
          .step = step,
          .gradient_scale = 0.37};
}

// The textbook in double, with the averages written out as sums over all past gradients:
// m_t = (1 - beta1) sum_s beta1^(t-s) g_s, and v_t alike.
TEST(AdamWReference, FollowsTheAveragesOfAllGradients) {
  constexpr int64_t n = 5;
  constexpr int steps = 6;
  Context c = reference();
  Tensor w = cases::normal({n}, 1, 1, DType::kF64);
  Tensor m = Tensor::zeros(DType::kF64, {n}), v = Tensor::zeros(DType::kF64, {n});
  std::vector<double> plain(w.f64(), w.f64() + n);
  for (int t = 1; t <= steps; ++t) {
    const AdamW s = settings(t);
    adamw_update(c, s, cases::normal({n}, 10 + static_cast<uint64_t>(t), 1, DType::kF64), w, m, v);
    for (int64_t i = 0; i < n; ++i) {
      double first = 0, second = 0, weights1 = 0, weights2 = 0;
      for (int past = 1; past <= t; ++past) {
        const double g = s.gradient_scale * random_normal(7, 10 + static_cast<uint64_t>(past),
                                                          static_cast<uint64_t>(i));
        first += std::pow(s.beta1, t - past) * g;
        second += std::pow(s.beta2, t - past) * g * g;
        weights1 += std::pow(s.beta1, t - past);
        weights2 += std::pow(s.beta2, t - past);
      }
      // 1 - beta^t = (1 - beta) (1 + beta + ... + beta^(t-1)): the corrected average is a weighted
      // mean.
      const double direction = first / weights1 / (std::sqrt(second / weights2) + s.epsilon);
      plain[i] = plain[i] * (1 - s.learning_rate * s.weight_decay) - s.learning_rate * direction;
      // A few dozen roundings in double a step, of numbers near one.
      EXPECT_NEAR(w.at(i), plain[i], t * 64 * 0x1p-53 * (1 + std::fabs(plain[i])));
    }
  }
}

TEST(AdamWCpu, MatchesTheReference) {
  for (int64_t n : kSizes) {
    for (int64_t step : {1, 2, 1000}) {
      SCOPED_TRACE(testing::Message() << n << " numbers, step " << step);
      const AdamW s = settings(step);
      const Tensor g = cases::normal({n}, 1), w0 = cases::normal({n}, 2),
                   m0 = cases::normal({n}, 3, 0.1);
      Tensor v0 = cases::normal({n}, 4, 0.1);
      for (int64_t i = 0; i < n; ++i) v0.set(i, v0.at(i) * v0.at(i));
      Tensor w = copy(w0), m = copy(m0), v = copy(v0);
      Context r = reference();
      adamw_update(r, s, g, w, m, v);

      const double correction1 = 1 - std::pow(s.beta1, static_cast<double>(step));
      const double correction2 = 1 - std::pow(s.beta2, static_cast<double>(step));
      std::vector<double> w_bound, m_bound, v_bound;
      for (int64_t i = 0; i < n; ++i) {
        const double scaled = g.at(i) * s.gradient_scale;
        // Scale, betas, products and a sum: five roundings a term, one more for the square.
        const double m_error =
            5 * u * (s.beta1 * std::fabs(m0.at(i)) + (1 - s.beta1) * std::fabs(scaled));
        const double v_error = 7 * u * (s.beta2 * v0.at(i) + (1 - s.beta2) * scaled * scaled);
        m_bound.push_back(m_error);
        v_bound.push_back(v_error);
        const double root = std::sqrt(v.at(i) / correction2) + s.epsilon;
        const double direction = m.at(i) / correction1 / root;
        // root: half of v's seven, the correction, root, sum; then two quotients and the rate.
        w_bound.push_back(s.learning_rate *
                              (m_error / correction1 / root + 14 * u * std::fabs(direction) +
                               5 * u * s.weight_decay * std::fabs(w0.at(i))) +
                          2 * u * std::fabs(w0.at(i)));
      }
      for (Isa isa : machine_isas()) {
        SCOPED_TRACE(name_of(isa));
        Context c = cpu(isa);
        Tensor w1 = copy(w0), m1 = copy(m0), v1 = copy(v0);
        adamw_update(c, s, g, w1, m1, v1);
        expect_within(m1, m, m_bound, "m");
        expect_within(v1, v, v_bound, "v");
        expect_within(w1, w, w_bound, "w");
      }
    }
  }
}

TEST(AddInPlace, EveryBackendGivesTheSameBits) {
  for (int64_t n : kSizes) {
    const Tensor x = cases::normal({n}, 1), y0 = cases::normal({n}, 2);
    Context r = reference();
    Tensor expected = copy(y0);
    add_in_place(r, x, expected);
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(expected.f32()[i], y0.f32()[i] + x.f32()[i]);
    for (Isa isa : machine_isas()) {
      SCOPED_TRACE(name_of(isa));
      Context c = cpu(isa);
      Tensor y = copy(y0);
      add_in_place(c, x, y);
      expect_same_bits(y, expected, "y");
    }
  }
}

TEST(SumOfSquares, IsSummedInDouble) {
  for (int64_t n : kSizes) {
    const Tensor x = cases::normal({n}, 1);
    Context r = reference();
    const double expected = sum_of_squares(r, x);
    for (Isa isa : machine_isas()) {
      SCOPED_TRACE(name_of(isa));
      Context c = cpu(isa);
      // Squares of floats are exact in double; both sums are within n - 1 roundings.
      EXPECT_NEAR(sum_of_squares(c, x), expected, 2 * static_cast<double>(n) * 0x1p-53 * expected);
    }
  }
}

}  // namespace
}  // namespace bitlaw
