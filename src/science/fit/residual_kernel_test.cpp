// Residuals from predictions: against plain loops, and the same bits on every instruction set.
#include "fit/residual_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr long kRows = 40;

struct Linked {
  std::vector<double> r, slope, combined;
  bool finite = false;
  bool operator==(const Linked&) const = default;
};

struct Table {
  std::vector<double> value, logarithmic, target, scale, other;
  Table() {
    for (long i = 0; i < kRows; ++i) {
      const auto normal = [&](uint64_t stream) {
        return random_normal(3, stream, static_cast<uint64_t>(i));
      };
      value.push_back(std::exp(normal(0)));
      logarithmic.push_back(i % 3 == 0 ? 0 : 1);
      target.push_back(normal(1));
      scale.push_back(std::exp(normal(2)));
      other.push_back(normal(3));
    }
  }

  Linked run(Isa isa) const {
    const ResidualKernel& kernel = residual_kernel(isa);
    Linked out{value, std::vector<double>(kRows), std::vector<double>(kRows)};
    out.finite = kernel.link(kRows, logarithmic.data(), target.data(), scale.data(), out.r.data(),
                             out.slope.data());
    const double factors[] = {2.5, -0.5};
    const double* columns[] = {value.data(), other.data()};
    kernel.combine(kRows, out.slope.data(), 2, factors, columns, out.combined.data());
    return out;
  }
};

TEST(ResidualKernel, AgreesWithPlainLoops) {
  const Table t;
  const Linked found = t.run(best_isa());
  EXPECT_TRUE(found.finite);
  for (size_t i = 0; i < kRows; ++i) {
    const bool by_ratio = t.logarithmic[i] == 1;
    const double linked = by_ratio ? std::log(t.value[i]) : t.value[i];
    // A logarithm to two units in the last place, a difference, a product.
    const double unit = std::ldexp(4.0, -53);
    EXPECT_NEAR(found.r[i], t.scale[i] * (linked - t.target[i]),
                unit * t.scale[i] * (std::fabs(linked) + std::fabs(t.target[i])));
    const double slope = by_ratio ? t.scale[i] / t.value[i] : t.scale[i];
    EXPECT_NEAR(found.slope[i], slope, unit * slope);
    EXPECT_NEAR(found.combined[i], slope * (2.5 * t.value[i] - 0.5 * t.other[i]),
                2 * unit * slope * (2.5 * t.value[i] + 0.5 * std::fabs(t.other[i])));
  }
}

TEST(ResidualKernel, EveryInstructionSetGivesTheSameBits) {
  const Table t;
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
    if (isa > best_isa()) continue;
    EXPECT_TRUE(t.run(isa) == t.run(Isa::kPlain)) << name_of(isa);
  }
}

TEST(ResidualKernel, WhatIsNoNumberIsSeen) {
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    Table t;
    t.value[13] = bad;
    EXPECT_FALSE(t.run(best_isa()).finite) << bad;
  }
  Table t;
  t.value[12] = -1;  // a difference, not a ratio
  EXPECT_TRUE(t.run(best_isa()).finite);
}

TEST(ResidualKernel, NoColumnsMakeZero) {
  std::vector<double> slope(8, 2), out(8, 7);
  residual_kernel().combine(8, slope.data(), 0, nullptr, nullptr, out.data());
  EXPECT_EQ(out, std::vector<double>(8, 0));
}

}  // namespace
}  // namespace bitlaw
