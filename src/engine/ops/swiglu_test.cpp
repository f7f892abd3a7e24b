#include "ops/swiglu.h"

#include <cstring>
#include <vector>

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

TEST(SwigluReference, BackwardIsTheDerivative) {
  Context c = reference();
  const int64_t T = 3, F = 5;
  const Tensor gate_up = cases::normal({T, 2 * F}, 1, 2, DType::kF64);
  const Tensor dy = cases::normal({T, F}, 2, 1, DType::kF64);
  Tensor y = Tensor::empty(DType::kF64, {T, F}), dgate_up = Tensor::empty(DType::kF64, {T, 2 * F});
  const auto f = [&] {
    swiglu(c, gate_up, y);
    return weighted_sum(y, dy);
  };
  f();
  const double magnitude = sum_of_magnitudes(y, dy);
  swiglu_backward(c, dy, gate_up, dgate_up);
  expect_gradient(f, gate_up, dgate_up, magnitude, "dgate_up");
}

TEST(Swiglu, TheGradientMayTakeThePlaceOfItsInput) {
  std::vector<Context> contexts;
  contexts.push_back(reference());
  for (Isa isa : machine_isas()) contexts.push_back(cpu(isa));
  uint64_t stream = 100;
  for (Context& c : contexts) {
    for (const auto& [T, F] : cases::kMatrices) {
      const Tensor gate_up = cases::normal({T, 2 * F}, ++stream, 3);
      const Tensor dy = cases::normal({T, F}, ++stream);
      const Tensor apart = Tensor::empty(DType::kF32, {T, 2 * F});
      Tensor out = apart, in_place = gate_up;
      swiglu_backward(c, dy, gate_up, out);
      swiglu_backward(c, dy, gate_up, in_place);
      EXPECT_EQ(std::memcmp(out.raw(), in_place.raw(), out.bytes()), 0) << T << "x" << F;
    }
  }
}

// silu(z) - silu(-z) = z, and silu(0) = 0.
TEST(SwigluReference, HalvesOfSiluAddUp) {
  Context c = reference();
  for (double z : {0.0, 0.3, 1.0, 5.0, 40.0, 700.0}) {
    const Tensor gate_up = Tensor::empty(DType::kF64, {2, 2});
    gate_up.set(0, z), gate_up.set(1, 1), gate_up.set(2, -z), gate_up.set(3, 1);
    Tensor y = Tensor::empty(DType::kF64, {2, 1});
    swiglu(c, gate_up, y);
    EXPECT_NEAR(y.at(0) - y.at(1), z, 4 * 0x1p-53 * z);
  }
}

TEST(SwigluCpu, MatchesTheReference) {
  uint64_t stream = 0;
  for (const auto& [T, F] : cases::kMatrices) {
    for (double size : {1.0, 40.0}) {  // 40: exp(-z) leaves the range of float
      SCOPED_TRACE(testing::Message() << T << "x" << F << " size " << size);
      const Tensor gate_up = cases::normal({T, 2 * F}, ++stream, size);
      const Tensor dy = cases::normal({T, F}, ++stream);
      struct Result {
        Tensor y, dgate_up;
      };
      const auto run = [&](Context c) {
        Result out{Tensor::empty(DType::kF32, {T, F}), Tensor::empty(DType::kF32, {T, 2 * F})};
        swiglu(c, gate_up, out.y);
        swiglu_backward(c, dy, gate_up, out.dgate_up);
        return out;
      };
      const Result expected = run(reference());

      // sigma = 1 / (1 + exp(-z)): the exponential, a sum, a reciprocal within one unit in the last
      // place; at the end of float's range it need only be as small as that. In the derivative of
      // silu, 1 + z (1 - sigma), every error is relative to at most 1 + |z|.
      const double sigma_error = kExp + 3 * u, smallest_sigma = 0x1p-124;
      std::vector<double> y_bound(static_cast<size_t>(T * F)),
          d_bound(static_cast<size_t>(2 * T * F));
      for (int64_t t = 0; t < T; ++t) {
        for (int64_t f = 0; f < F; ++f) {
          const int64_t gate_at = t * 2 * F + f, up_at = gate_at + F, at = t * F + f;
          const double z = gate_up.at(gate_at), up = gate_up.at(up_at), d = dy.at(at);
          const double sigma = 1 / (1 + std::exp(-z));
          y_bound[at] = (sigma_error + 2 * u) * std::fabs(expected.y.at(at)) +
                        smallest_sigma * std::fabs(z * up);
          d_bound[up_at] = (sigma_error + 2 * u) * std::fabs(expected.dgate_up.at(up_at)) +
                           smallest_sigma * std::fabs(z * d);
          d_bound[gate_at] = std::fabs(d * up) * (1 + std::fabs(z)) *
                             (sigma * (2 * sigma_error + 6 * u) + smallest_sigma);
        }
      }
      for (Isa isa : machine_isas()) {
        SCOPED_TRACE(name_of(isa));
        const Result actual = run(cpu(isa));
        expect_within(actual.y, expected.y, y_bound, "y");
        expect_within(actual.dgate_up, expected.dgate_up, d_bound, "dgate_up");
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
