#include "ops/norm.h"

#include "ops/test_support.h"

namespace bitlaw {
namespace {

using namespace testing_ops;

constexpr double kEpsilon = 1e-5;

TEST(RmsNormReference, BackwardIsTheDerivative) {
  for (const auto& [R, C] : {cases::MatrixCase{1, 1}, {3, 5}, {2, 17}}) {
    SCOPED_TRACE(testing::Message() << R << "x" << C);
    Context c = reference();
    const Tensor x = cases::normal({R, C}, 1, 1, DType::kF64);
    const Tensor weight = cases::normal({C}, 2, 1, DType::kF64);
    const Tensor dy = cases::normal({R, C}, 3, 1, DType::kF64);
    Tensor y = Tensor::empty(DType::kF64, {R, C}), rstd = Tensor::empty(DType::kF64, {R});
    const auto f = [&] {
      rms_norm(c, x, weight, kEpsilon, y, rstd);
      return weighted_sum(y, dy);
    };
    f();
    Tensor dx = Tensor::empty(DType::kF64, {R, C}), dweight = Tensor::zeros(DType::kF64, {C});
    rms_norm_backward(c, dy, x, weight, rstd, false, dx, dweight);
    const double magnitude = sum_of_magnitudes(y, dy);
    expect_gradient(f, x, dx, magnitude, "dx");
    expect_gradient(f, weight, dweight, magnitude, "dweight");
  }
}

// y does not change with the size of x, and the root mean square of y / weight is one.
TEST(RmsNormReference, RowsHaveUnitSize) {
  Context c = reference();
  const Tensor x = cases::normal({4, 33}, 1, 3, DType::kF64),
               weight = cases::normal({33}, 2, 1, DType::kF64);
  Tensor y = Tensor::empty(DType::kF64, {4, 33}), rstd = Tensor::empty(DType::kF64, {4});
  rms_norm(c, x, weight, 0, y, rstd);
  for (int64_t r = 0; r < 4; ++r) {
    double mean = 0;
    for (int64_t i = 0; i < 33; ++i) {
      const double unit = y.at(r * 33 + i) / weight.at(i);
      mean += unit * unit / 33;
    }
    EXPECT_NEAR(mean, 1, 100 * 0x1p-53);
  }
}

TEST(RmsNormReference, AccumulatingAdds) {
  Context c = reference();
  const DType f64 = DType::kF64;
  const int64_t R = 3, C = 5;
  const Tensor x = cases::normal({R, C}, 1, 1, f64), weight = cases::normal({C}, 2, 1, f64);
  const Tensor dy = cases::normal({R, C}, 3, 1, f64), rstd = cases::normal({R}, 4, 1, f64);
  const Tensor dx0 = cases::normal({R, C}, 5, 1, f64), dweight0 = cases::normal({C}, 6, 1, f64);
  Tensor dx = copy(dx0), dweight = Tensor::zeros(f64, {C});
  Tensor total_dx = copy(dx0), total_dweight = copy(dweight0);
  rms_norm_backward(c, dy, x, weight, rstd, false, dx, dweight);
  rms_norm_backward(c, dy, x, weight, rstd, true, total_dx, total_dweight);
  for (int64_t i = 0; i < R * C; ++i) {
    EXPECT_NEAR(total_dx.at(i), dx0.at(i) + dx.at(i), 1e2 * 0x1p-53);
  }
  for (int64_t i = 0; i < C; ++i) {
    EXPECT_NEAR(total_dweight.at(i), dweight0.at(i) + dweight.at(i), 1e2 * 0x1p-53);
  }
}

TEST(RmsNormCpu, MatchesTheReference) {
  uint64_t stream = 0;
  for (const auto& [R, C] : cases::kMatrices) {
    for (bool accumulate : {false, true}) {
      SCOPED_TRACE(testing::Message() << R << "x" << C << " accumulate " << accumulate);
      const Tensor x = cases::normal({R, C}, ++stream, 2), weight = cases::normal({C}, ++stream);
      const Tensor dy = cases::normal({R, C}, ++stream, 0.1);
      const Tensor dx0 = cases::normal({R, C}, ++stream), dweight0 = cases::normal({C}, ++stream);
      struct Result {
        Tensor y, rstd, dx, dweight;
      };
      const auto run = [&](Context c, const Tensor* rstd) {
        Result out{Tensor::empty(DType::kF32, {R, C}), Tensor::empty(DType::kF32, {R}), copy(dx0),
                   copy(dweight0)};
        rms_norm(c, x, weight, kEpsilon, out.y, out.rstd);
        rms_norm_backward(c, dy, x, weight, rstd != nullptr ? *rstd : out.rstd, accumulate, out.dx,
                          out.dweight);
        return out;
      };
      const Result expected = run(reference(), nullptr);

      // rstd: half the error of a sum of C squares, the mean, epsilon, root and quotient.
      const double rstd_error = (static_cast<double>(C) / 2 + 5) * u;
      std::vector<double> y_bound, rstd_bound, dx_bound, dweight_bound(static_cast<size_t>(C));
      for (int64_t i = 0; i < C; ++i) dweight_bound[i] = std::fabs(dweight0.at(i));
      for (int64_t r = 0; r < R; ++r) {
        const double inverse = expected.rstd.at(r);
        rstd_bound.push_back(rstd_error * inverse);
        double mean = 0;
        for (int64_t i = 0; i < C; ++i) {
          const int64_t at = r * C + i;
          mean += std::fabs(weight.at(i) * dy.at(at) * x.at(at)) / static_cast<double>(C);
          dweight_bound[i] += std::fabs(dy.at(at) * x.at(at)) * inverse;
        }
        for (int64_t i = 0; i < C; ++i) {
          const int64_t at = r * C + i;
          y_bound.push_back((rstd_error + 3 * u) * std::fabs(expected.y.at(at)));
          dx_bound.push_back(
              inverse * (6 * u * std::fabs(weight.at(i) * dy.at(at)) +
                         (static_cast<double>(C) + 10) * u * std::fabs(x.at(at)) * inverse *
                             inverse * mean) +
              (accumulate ? 2 * u * (std::fabs(dx0.at(at)) + std::fabs(expected.dx.at(at))) : 0));
        }
      }
      for (double& bound : dweight_bound) bound *= (static_cast<double>(R) + 4) * u;
      for (Isa isa : machine_isas()) {
        SCOPED_TRACE(name_of(isa));
        const Result actual = run(cpu(isa), &expected.rstd);
        expect_within(actual.y, expected.y, y_bound, "y");
        expect_within(actual.rstd, expected.rstd, rstd_bound, "rstd");
        expect_within(actual.dx, expected.dx, dx_bound, "dx");
        expect_within(actual.dweight, expected.dweight, dweight_bound, "dweight");
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
