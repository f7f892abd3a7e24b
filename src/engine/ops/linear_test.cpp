#include "ops/linear.h"

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

const Rounding kExact{fp32_format()};

struct Problem {
  Tensor x, master, dy, y0, dx0, dw0;

  Problem(const cases::LinearCase& size, uint64_t stream)
      : x(cases::normal({size.T, size.K}, stream, 1.5)),
        master(cases::normal({size.N, size.K}, stream + 1, 0.2)),
        dy(cases::normal({size.T, size.N}, stream + 2, 0.01)),
        y0(cases::normal({size.T, size.N}, stream + 3)),
        dx0(cases::normal({size.T, size.K}, stream + 4, 0.01)),
        dw0(cases::normal({size.N, size.K}, stream + 5, 0.1)) {}
};

struct Gradients {
  Tensor dx, dw;
};
Gradients backward(Context& c, const Problem& p, const Operand& x, const Weight& w,
                   bool accumulate) {
  Gradients out{copy(p.dx0), copy(p.dw0)};
  linear_backward(c, p.dy, x, w, accumulate, &out.dx, &out.dw);
  return out;
}

// sum of |terms| of each entry: |a| [R, K] times |b| [C, K] transposed, plus |start|
std::vector<double> magnitudes(const std::vector<double>& a, const std::vector<double>& b,
                               int64_t R, int64_t C, int64_t K, const Tensor* start) {
  std::vector<double> out(static_cast<size_t>(R * C));
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t c = 0; c < C; ++c) {
      double sum = start != nullptr ? std::fabs(start->at(r * C + c)) : 0;
      for (int64_t k = 0; k < K; ++k) sum += a[r * K + k] * b[c * K + k];
      out[r * C + c] = sum;
    }
  }
  return out;
}

std::vector<double> absolute(const Operand& x, bool transposed) {
  const int64_t R = x.codes.extent(0), C = x.codes.extent(1);
  const std::vector<double> as_stored = magnitudes_of(x);
  if (!transposed) return as_stored;
  std::vector<double> out(as_stored.size());
  for (int64_t i = 0; i < R * C; ++i) out[i % C * R + i / C] = as_stored[i];
  return out;
}

std::vector<double> times(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

TEST(LinearReference, BackwardIsTheDerivative) {
  for (const auto& [T, N, K] : {cases::LinearCase{1, 1, 1}, {3, 5, 4}, {7, 2, 9}}) {
    SCOPED_TRACE(testing::Message() << T << "x" << N << "x" << K);
    Context c = reference();
    Operand x{cases::normal({T, K}, 1, 1, DType::kF64), {}};
    const Tensor master = cases::normal({N, K}, 2, 1, DType::kF64);
    const Tensor dy = cases::normal({T, N}, 3, 1, DType::kF64);
    Tensor y = Tensor::empty(DType::kF64, {T, N});
    const auto f = [&] {
      linear_forward(c, x, prepared(c, kExact, master), false, y);
      return weighted_sum(y, dy);
    };
    f();
    const double magnitude = sum_of_magnitudes(y, dy) + static_cast<double>(K);
    Tensor dx = Tensor::empty(DType::kF64, {T, K}), dw = Tensor::zeros(DType::kF64, {N, K});
    linear_backward(c, dy, x, prepared(c, kExact, master), false, &dx, &dw);
    expect_gradient(f, x.codes, dx, magnitude, "dx");
    expect_gradient(f, master, dw, magnitude, "dw");
  }
}

// Straight through: with unrounded gradients, the backward of codes and scales is that of the
// values of the codes.
TEST(LinearReference, GradientsPassThroughTheRounding) {
  const cases::LinearCase size{5, 7, 33};
  const Problem p(size, 10);
  for (const Rounding& rounding : cases::linear_roundings()) {
    SCOPED_TRACE(cases::text(rounding));
    Context c = reference(DType::kF32);
    const Operand x = rounded(rounding, p.x);
    const Weight w = prepared(c, rounding, p.master);
    Tensor dx = Tensor::empty(DType::kF32, {size.T, size.K});
    Tensor dw = Tensor::zeros(DType::kF32, {size.N, size.K});
    linear_backward(c, p.dy, x, w, false, &dx, &dw);

    const Weight exact_w{exact_values(w.operand), nullptr};
    Tensor exact_dx = Tensor::empty(DType::kF64, {size.T, size.K});
    Tensor exact_dw = Tensor::zeros(DType::kF64, {size.N, size.K});
    linear_backward(c, as(DType::kF64, p.dy), exact_values(x), exact_w, false, &exact_dx,
                    &exact_dw);

    std::vector<double> dy(p.dy.f32(), p.dy.f32() + p.dy.elements()), dy_t(dy.size());
    for (int64_t i = 0; i < p.dy.elements(); ++i) {
      dy[i] = std::fabs(dy[i]);
      dy_t[i % size.N * size.T + i / size.N] = dy[i];
    }
    // One rounding of the scaled gradient each term, one of the result.
    expect_within(
        dx, exact_dx,
        times(magnitudes(dy, absolute(w.operand, true), size.T, size.K, size.N, nullptr), u), "dx");
    expect_within(dw, exact_dw,
                  times(magnitudes(dy_t, absolute(x, true), size.N, size.K, size.T, nullptr), u),
                  "dw");
  }
}

struct Codes {
  Tensor tensor;  // BF16
  std::vector<int64_t> integers;
};

Codes integer_codes(int64_t rows, int64_t columns, int64_t largest, uint64_t stream) {
  Codes out{Tensor::empty(DType::kBF16, {rows, columns}), {}};
  for (int64_t i = 0; i < rows * columns; ++i) {
    const uint64_t draw =
        random_below(3, stream, static_cast<uint64_t>(i), static_cast<uint64_t>(2 * largest + 1));
    out.integers.push_back(static_cast<int64_t>(draw) - largest);
    out.tensor.set(i, static_cast<double>(out.integers.back()));
  }
  return out;
}

// Sums of at most 2^24 in magnitude are exact in float, in any order; then two roundings are left,
// of the product of the scales and of the sum times that, in this order.
void expect_integer_products_exact(Context& c) {
  for (int bits = 2; bits <= 9; ++bits) {
    for (const auto& [T, N, K] : cases::kLinears) {
      const int64_t largest = (int64_t{1} << (bits - 1)) - 1;
      if (largest * largest * K > int64_t{1} << 24) continue;
      SCOPED_TRACE(testing::Message() << bits << " bits, " << T << "x" << N << "x" << K);
      const Codes a = integer_codes(T, K, largest, 1), b = integer_codes(N, K, largest, 2);
      const auto scales = [](int64_t rows, uint64_t stream) {
        const Tensor out = Tensor::empty(DType::kF32, {rows});
        for (int64_t r = 0; r < rows; ++r) {
          out.set(r, 0.01 + random_uniform(3, stream, static_cast<uint64_t>(r)));
        }
        return out;
      };
      const Operand x{a.tensor, scales(T, 3)};
      Weight w{{b.tensor, scales(N, 4)}, nullptr};
      pack_weight(c, false, w);
      Tensor y = Tensor::empty(DType::kF32, {T, N});
      linear_forward(c, x, w, false, y);
      for (int64_t t = 0; t < T; ++t) {
        for (int64_t n = 0; n < N; ++n) {
          int64_t sum = 0;
          for (int64_t k = 0; k < K; ++k) sum += a.integers[t * K + k] * b.integers[n * K + k];
          const float scale = x.scales.f32()[t] * w.operand.scales.f32()[n];
          ASSERT_EQ(y.f32()[t * N + n], static_cast<float>(sum) * scale);
        }
      }
    }
  }
}

TEST(LinearReference, IntegerProductsAreExact) {
  Context c = reference();
  expect_integer_products_exact(c);
}

TEST(LinearCpu, IntegerProductsAreExact) {
  for (Isa isa : machine_isas()) {
    SCOPED_TRACE(name_of(isa));
    Context c = cpu(isa);
    expect_integer_products_exact(c);
  }
}

// BF16 terms of a number of an operand, at most.
double terms(const Operand& x) {
  return is_bf16(x) ? 1 : x.scales.defined() ? 2 : 3;
}
// Pieces of k in which both operands have one scale, at most.
double blocks(const Operand& x, const Operand& w) {
  double count = 1;
  for (const Operand* operand : {&x, &w}) {
    if (operand->group != 0) count += static_cast<double>(operand->scales.extent(1));
  }
  return count;
}

TEST(LinearCpu, ForwardMatchesTheReference) {
  uint64_t stream = 100;
  for (const cases::LinearCase& size : cases::kLinears) {
    const Problem p(size, stream += 10);
    for (const Rounding& x_rounding : cases::linear_roundings()) {
      for (const Rounding& w_rounding : cases::linear_roundings()) {
        // All pairs on small cases, equal ones on large.
        if (size.T * size.N * size.K > 100000 &&
            cases::text(x_rounding) != cases::text(w_rounding)) {
          continue;
        }
        SCOPED_TRACE(testing::Message()
                     << size.T << "x" << size.N << "x" << size.K << " " << cases::text(x_rounding)
                     << " * " << cases::text(w_rounding));
        Context r = reference();
        const Operand x = rounded(x_rounding, p.x);
        const Weight reference_w = prepared(r, w_rounding, p.master, false);
        Tensor expected = Tensor::empty(DType::kF32, {size.T, size.N}), expected_sum = copy(p.y0);
        linear_forward(r, x, reference_w, false, expected);
        linear_forward(r, x, reference_w, true, expected_sum);
        // Additions of every pair of terms (which have the signs of the numbers, so that magnitudes
        // add up), and of blocks; product, values of both sides or two scales, store, accumulation.
        const double additions =
            terms(x) * terms(reference_w.operand) * static_cast<double>(size.K) +
            blocks(x, reference_w.operand);
        const std::vector<double> bound =
            times(magnitudes(absolute(x, false), absolute(reference_w.operand, false), size.T,
                             size.N, size.K, &p.y0),
                  (additions + 6) * u);
        for (Isa isa : machine_isas()) {
          SCOPED_TRACE(name_of(isa));
          Context c = cpu(isa);
          const Weight w = prepared(c, w_rounding, p.master, false);
          Tensor y = Tensor::empty(DType::kF32, {size.T, size.N}), sum = copy(p.y0);
          linear_forward(c, x, w, false, y);
          linear_forward(c, x, w, true, sum);
          expect_within(y, expected, bound, "y");
          expect_within(sum, expected_sum, bound, "y + ...");
        }
      }
    }
  }
}

// The rounded operands of gradients are the same bits on every backend: what differs is the order
// of sums.
TEST(LinearCpu, BackwardMatchesTheReference) {
  uint64_t stream = 1000;
  for (const cases::LinearCase& size : cases::kLinears) {
    const Problem p(size, stream += 10);
    for (const Rounding& rounding : cases::linear_roundings()) {
      Context r = reference();
      const Operand x = rounded(rounding, p.x);
      const Weight reference_w = prepared(r, rounding, p.master);
      // |g| and |h| rounded up by at most one BF16 step, 2^-8 relative.
      std::vector<double> dy = numbers(p.dy), dy_t(dy.size());
      for (int64_t i = 0; i < size.T * size.N; ++i) {
        dy[i] = std::fabs(dy[i]) * (1 + 0x1p-7);
        dy_t[i % size.N * size.T + i / size.N] = dy[i];
      }
      const std::vector<double> dw_bound =
          times(magnitudes(dy_t, absolute(x, true), size.N, size.K, size.T, &p.dw0),
                static_cast<double>(size.T + 4) * u * (1 + 0x1p-7));
      for (bool accumulate : {false, true}) {
        const std::vector<double> dx_bound =
            times(magnitudes(dy, absolute(reference_w.operand, true), size.T, size.K, size.N,
                             accumulate ? &p.dx0 : nullptr),
                  static_cast<double>(size.N + 4) * u * (1 + 0x1p-7));
        for (DType gradient_dtype : {DType::kBF16, DType::kF32}) {
          SCOPED_TRACE(testing::Message()
                       << size.T << "x" << size.N << "x" << size.K << " " << cases::text(rounding)
                       << " gradients " << name_of(gradient_dtype) << " accumulate " << accumulate);
          Context plain = reference(gradient_dtype);
          const Gradients expected = backward(plain, p, x, reference_w, accumulate);
          for (Isa isa : machine_isas()) {
            SCOPED_TRACE(name_of(isa));
            Context c = cpu(isa, gradient_dtype);
            const Gradients actual = backward(c, p, x, prepared(c, rounding, p.master), accumulate);
            expect_within(actual.dx, expected.dx, dx_bound, "dx");
            expect_within(actual.dw, expected.dw, dw_bound, "dw");
          }
        }
      }
    }
  }
}

TEST(LinearReference, AccumulatingAdds) {
  const cases::LinearCase size{7, 5, 9};
  const Problem p(size, 50);
  Context c = reference();
  const Operand x = rounded({bf16_format()}, p.x);
  const Weight w = prepared(c, {integer_format(4), ScaleAxis::kRow}, p.master);
  Tensor y = Tensor::empty(DType::kF32, p.y0.shape()), sum = copy(p.y0);
  linear_forward(c, x, w, false, y);
  linear_forward(c, x, w, true, sum);
  const Gradients written = backward(c, p, x, w, false), added = backward(c, p, x, w, true);
  Tensor fresh_dw = Tensor::zeros(DType::kF32, p.dw0.shape());
  linear_backward(c, p.dy, x, w, false, nullptr, &fresh_dw);
  const auto expect_sum = [](const Tensor& total, const Tensor& start, const Tensor& term) {
    for (int64_t i = 0; i < total.elements(); ++i) {
      EXPECT_NEAR(total.at(i), start.at(i) + term.at(i),
                  u * (std::fabs(total.at(i)) + std::fabs(term.at(i))));
    }
  };
  expect_sum(sum, p.y0, y);
  expect_sum(added.dx, p.dx0, written.dx);
  expect_sum(added.dw, p.dw0, fresh_dw);
  expect_same_bits(written.dw, added.dw, "dw, which always adds");
}

void expect_either_gradient_alone(Context& c) {
  const cases::LinearCase size{17, 48, 33};
  const Problem p(size, 20);
  const Rounding int4{integer_format(4), ScaleAxis::kRow};
  const Operand x = rounded(int4, p.x);
  const Weight w = prepared(c, int4, p.master);
  const Gradients both = backward(c, p, x, w, true);
  Tensor dx = copy(p.dx0), dw = copy(p.dw0);
  linear_backward(c, p.dy, x, w, true, &dx, nullptr);
  linear_backward(c, p.dy, x, w, true, nullptr, &dw);
  expect_same_bits(dx, both.dx, "dx");
  expect_same_bits(dw, both.dw, "dw");
}

// A weight prepared once and used twice, prepared again at each use, prepared in memory that held
// another weight, and packed from an operand made elsewhere: all the same bits.
void expect_prepared_once_is_enough(Context& c) {
  const cases::LinearCase size{17, 33, 48};
  const Problem p(size, 30), other(size, 40);
  for (const Rounding& rounding : cases::linear_roundings()) {
    SCOPED_TRACE(cases::text(rounding));
    const Operand x = rounded(rounding, p.x);
    const auto forward = [&](const Weight& w) {
      Tensor y = Tensor::empty(DType::kF32, {size.T, size.N});
      linear_forward(c, x, w, false, y);
      return y;
    };
    const auto expect_same = [&](const Weight& w, const Tensor& y, const Gradients& g,
                                 const char* how) {
      SCOPED_TRACE(how);
      expect_same_bits(forward(w), y, "y");
      const Gradients again = backward(c, p, x, w, false);
      expect_same_bits(again.dx, g.dx, "dx");
      expect_same_bits(again.dw, g.dw, "dw");
    };
    const Weight once = prepared(c, rounding, p.master);
    const Tensor y = forward(once);
    const Gradients g = backward(c, p, x, once, false);

    expect_same(once, y, g, "used twice");
    expect_same(prepared(c, rounding, p.master), y, g, "prepared at each use");
    Weight reused = prepared(c, rounding, other.master);
    const void* memory = reused.operand.codes.raw();
    prepare_weight(c, rounding, p.master, true, reused);
    EXPECT_EQ(reused.operand.codes.raw(), memory);
    expect_same(reused, y, g, "prepared over another");
    Weight packed{rounded(rounding, p.master), nullptr};
    pack_weight(c, true, packed);
    expect_same(packed, y, g, "packed");
  }
}

TEST(LinearReference, EitherGradientAlone) {
  Context c = reference();
  expect_either_gradient_alone(c);
}

TEST(LinearReference, PreparedOnceIsEnough) {
  Context c = reference();
  expect_prepared_once_is_enough(c);
}

TEST(LinearCpu, EitherGradientAlone) {
  for (Isa isa : machine_isas()) {
    SCOPED_TRACE(name_of(isa));
    Context c = cpu(isa);
    expect_either_gradient_alone(c);
  }
}

TEST(LinearCpu, PreparedOnceIsEnough) {
  for (Isa isa : machine_isas()) {
    SCOPED_TRACE(name_of(isa));
    Context c = cpu(isa);
    expect_prepared_once_is_enough(c);
  }
}

}  // namespace
}  // namespace bitlaw
