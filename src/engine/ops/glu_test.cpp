#include "ops/glu.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ops/swiglu.h"
#include "ops/test_cases.h"
#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

struct Case {
  int64_t T, F, K;
};
// Sides of a tile, less and more than one, and hidden sizes that its halves do not share evenly.
constexpr Case kCases[] = {{1, 16, 32}, {17, 48, 40}, {33, 176, 64}, {64, 20, 33}, {96, 344, 48}};

struct Problem {
  Tensor x, master, dy;
  Problem(const Case& size, uint64_t seed)
      : x(cases::normal({size.T, size.K}, seed)),
        master(cases::normal({2 * size.F, size.K}, seed + 1)),
        dy(cases::normal({size.T, size.F}, seed + 2)) {}
};

struct Result {
  Tensor kept, y, dx, dw;
  Tensor gradient;  // of the product, if computed
};

Result whole(Context c, const Case& size, const Operand& x, const Weight& w, const Tensor& dy,
             DType kept) {
  Result r{Tensor::empty(kept, {size.T, 2 * size.F}),
           Tensor::empty(DType::kF32, {size.T, size.F}),
           Tensor::empty(DType::kF32, {size.T, size.K}),
           Tensor::empty(DType::kF32, {2 * size.F, size.K}),
           {}};
  glu_forward(c, x, w, r.kept, r.y);
  for (int64_t i = 0; i < r.dw.elements(); ++i) r.dw.set(i, 1e30);  // must be written over
  glu_backward(c, dy, r.kept, x, w, r.dx, {&r.dw, /*is_fresh=*/true});
  return r;
}

// The gated unit is its two steps: the same kept product but for its rounding, the same output, and
// the gradients of linear_backward at the kept product.
Result in_steps(Context c, const Case& size, const Operand& x, const Weight& w, const Tensor& dy,
                DType kept) {
  Result r{Tensor::empty(kept, {size.T, 2 * size.F}),
           Tensor::empty(DType::kF32, {size.T, size.F}),
           Tensor::empty(DType::kF32, {size.T, size.K}),
           Tensor::zeros(DType::kF32, {2 * size.F, size.K}),
           {}};
  Tensor product = Tensor::empty(DType::kF32, r.kept.shape());
  linear_forward(c, x, w, false, product);
  swiglu(c, product, r.y);
  for (int64_t i = 0; i < product.elements(); ++i) {
    r.kept.set(i, product.at(i));
    product.set(i, r.kept.at(i));
  }
  swiglu_backward(c, dy, product, product);
  linear_backward(c, product, x, w, false, &r.dx, &r.dw);
  r.gradient = product;
  return r;
}

// dx[t, k] sums N products in some order: within 2 N u of the sum of their magnitudes, u the unit
// of an F32 rounding, of each of two orders.
std::vector<double> order_bound(const Tensor& gradient, const Operand& w) {
  const int64_t T = gradient.extent(0), N = gradient.extent(1), K = w.codes.extent(1);
  const std::vector<double> weights = magnitudes_of(w);
  std::vector<double> bound(static_cast<size_t>(T * K));
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t n = 0; n < N; ++n) {
      const double g = std::fabs(gradient.at(t * N + n));
      for (int64_t k = 0; k < K; ++k) bound[t * K + k] += g * weights[n * K + k];
    }
  }
  for (double& b : bound) b *= 4 * static_cast<double>(N) * u;
  return bound;
}

TEST(Glu, IsTheProductThenTheGate) {
  std::vector<Context> contexts;
  contexts.push_back(reference());
  for (Isa isa : machine_isas()) {
    contexts.push_back(cpu(isa));
    contexts.push_back(cpu(isa, DType::kF32));
  }
  for (const Case& size : kCases) {
    const Problem p(size, 1);
    for (const Rounding& rounding : cases::linear_roundings()) {
      SCOPED_TRACE(testing::Message()
                   << size.T << "x" << size.F << "x" << size.K << " " << cases::text(rounding));
      const Operand x = rounded(rounding, p.x);
      for (Context& c : contexts) {
        const Weight w = prepared(c, rounding, p.master);
        for (DType kept : {DType::kBF16, DType::kF32}) {
          if (kept == DType::kBF16 && c.gradient_dtype == DType::kF32) continue;
          const Result a = whole(c, size, x, w, p.dy, kept),
                       b = in_steps(c, size, x, w, p.dy, kept);
          // Forward runs the same product in the same order of sums.
          expect_same_bits(a.kept, b.kept, "kept");
          expect_same_bits(a.y, b.y, "y");
          // Backward sums over features in other blocks.
          expect_within(a.dx, b.dx, order_bound(b.gradient, w.operand), "dx");
          expect_same_bits(a.dw, b.dw, "dw");
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
