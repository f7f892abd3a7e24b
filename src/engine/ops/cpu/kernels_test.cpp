// The kernels' own building blocks: the exponential and the reciprocal over their whole range, and
// that every instruction set computes the same bits.
#include "ops/cpu/kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "ops/test_support.h"

namespace bitlaw::cpu {
namespace {

const Kernels& kernels_of(Isa isa) {
  return isa == Isa::kAvx512 ? kernels_avx512()
         : isa == Isa::kAvx2 ? kernels_avx2()
                             : kernels_plain();
}

// Every `stride`-th float between two positive floats, ascending.
std::vector<float> floats_between(float low, float high, uint32_t stride) {
  std::vector<float> out;
  for (uint32_t bits = std::bit_cast<uint32_t>(low); bits <= std::bit_cast<uint32_t>(high);
       bits += stride) {
    out.push_back(std::bit_cast<float>(bits));
  }
  return out;
}

double worst_relative_error(const std::vector<float>& got, const std::vector<float>& x,
                            double (*f)(double)) {
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) worst = std::fmax(worst, std::fabs(got[i] / f(x[i]) - 1));
  return worst;
}

TEST(Kernels, ExponentialIsWithinTwoUnitsInTheLastPlace) {
  for (Isa isa : testing_ops::machine_isas()) {
    const uint32_t stride = isa == Isa::kPlain ? 40009 : 1009;
    std::vector<float> x = floats_between(0x1p-40f, 88.0f, stride);
    for (float v : floats_between(0x1p-40f, 87.3f, stride)) x.push_back(-v);
    std::vector<float> y(x.size());
    kernels_of(isa).exponential(x.data(), static_cast<int64_t>(x.size()), y.data());
    EXPECT_LE(worst_relative_error(y, x, [](double v) { return std::exp(v); }), 0x1p-22)
        << name_of(isa);
  }
}

TEST(Kernels, ExponentialAtTheEnds) {
  const std::vector<float> x{0.0f, -0.0f, -87.4f, -1000.0f, -INFINITY, NAN};
  for (Isa isa : testing_ops::machine_isas()) {
    std::vector<float> y(x.size());
    kernels_of(isa).exponential(x.data(), static_cast<int64_t>(x.size()), y.data());
    EXPECT_EQ(y[0], 1);
    EXPECT_EQ(y[1], 1);
    for (int i : {2, 3, 4}) EXPECT_LE(y[i], 0x1p-125f);
    EXPECT_TRUE(std::isnan(y[5]));
  }
}

TEST(Kernels, ReciprocalIsWithinOneUnitInTheLastPlace) {
  for (Isa isa : testing_ops::machine_isas()) {
    const std::vector<float> x =
        floats_between(0x1p-125f, 0x1p+125f, isa == Isa::kPlain ? 80021 : 2003);
    std::vector<float> y(x.size());
    kernels_of(isa).reciprocal(x.data(), static_cast<int64_t>(x.size()), y.data());
    EXPECT_LE(worst_relative_error(y, x, [](double v) { return 1 / v; }), 0x1p-23) << name_of(isa);
  }
}

// One number from every kernel that has a tail or a sum, for all lengths up to a few vectors.
std::vector<float> traces(const Kernels& kernel, int64_t n) {
  const Tensor x = cases::normal({3, 2 * n}, 1), y = cases::normal({3, 2 * n}, 2),
               w = cases::normal({n}, 3);
  std::vector<float> out(static_cast<size_t>(12 * n + 20));
  float* a = out.data();
  kernel.rms_norm(x.f32(), w.f32(), 1e-5f, 3, n, a, a + 3 * n);
  a += 3 * n + 3;
  kernel.swiglu(x.f32(), x.f32() + n, n, 1, n, {}, {}, a, n);
  a += n;
  std::vector<float> scores(x.f32(), x.f32() + n);
  kernel.probabilities({1, n - 1, n, 0.3f}, scores.data(), n, {nullptr, a, n, false}, a + n);
  a += n + 1;
  std::vector<float> logits(x.f32(), x.f32() + n);
  const uint16_t target = 0;
  kernel.cross_entropy_gradient(logits.data(), 1, n, &target, 0.5f, a + n, {nullptr, a, n, true});
  a += n + 1;
  RowComparison comparison;
  kernel.compare_rows(x.f32(), y.f32(), 1, n, &comparison);
  *a++ = static_cast<float>(comparison.kl);
  *a++ = static_cast<float>(comparison.log_sum - comparison.baseline_log_sum);
  *a++ = comparison.same_top ? 1.0f : 0.0f;
  *a++ = kernel.dot(x.f32(), y.f32(), n);
  *a++ = static_cast<float>(kernel.sum_of_squares(x.f32(), n));
  std::vector<float> m(y.f32(), y.f32() + n), v(n, 0.25f);
  std::copy_n(w.f32(), n, a);
  kernel.adamw({0.9f, 0.1f, 0.95f, 0.05f, 2, 3, 1e-8f, 1e-3f, 0.1f, 1.5f}, x.f32(), n, a, m.data(),
               v.data());
  return out;
}

TEST(Kernels, EveryInstructionSetComputesTheSameBits) {
  for (int64_t n = 1; n <= 150; ++n) {
    const std::vector<float> expected = traces(kernels_plain(), n);
    for (Isa isa : testing_ops::machine_isas()) {
      const std::vector<float> got = traces(kernels_of(isa), n);
      EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
          << name_of(isa) << ", " << n << " numbers";
    }
  }
}

}  // namespace
}  // namespace bitlaw::cpu
