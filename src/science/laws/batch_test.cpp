#include "laws/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace bitlaw {
namespace {

using Batch = BatchOf<-1, 8>;  // of this file alone

// The result's distance from the exact value in units of the last place of the exact value.
double error_in_ulp(double result, long double exact) {
  const double rounded = static_cast<double>(exact);
  if (std::isinf(rounded) || rounded == 0) return result == rounded ? 0 : 1e9;
  const double ulp = std::nextafter(std::fabs(rounded), INFINITY) - std::fabs(rounded);
  return static_cast<double>(std::fabs(static_cast<long double>(result) - exact) / ulp);
}

template <class OfBatch, class Exact>
double worst_error(const OfBatch& of_batch, const Exact& exact, double low, double high) {
  double worst = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    double in[Batch::kLanes], out[Batch::kLanes];
    for (uint64_t lane = 0; lane < Batch::kLanes; ++lane) {
      in[lane] = low + (high - low) * random_uniform(1, i, lane);
    }
    of_batch(Batch::load(in)).store(out);
    for (int lane = 0; lane < Batch::kLanes; ++lane) {
      worst = std::max(worst, error_in_ulp(out[lane], exact(static_cast<long double>(in[lane]))));
    }
  }
  return worst;
}

TEST(Batch, FunctionsErrByLessThanTwoUnitsInTheLastPlace) {
  const auto exponential = [](const Batch& x) { return exp(x); };
  const auto exact_exponential = [](long double x) { return std::exp(x); };
  EXPECT_LT(worst_error(exponential, exact_exponential, -708, 709), 2);
  EXPECT_LT(worst_error(exponential, exact_exponential, -1, 1), 2);
  const auto minus_one = [](const Batch& x) { return expm1(x); };
  const auto exact_minus_one = [](long double x) { return std::expm1(x); };
  EXPECT_LT(worst_error(minus_one, exact_minus_one, -40, 709), 2);
  EXPECT_LT(worst_error(minus_one, exact_minus_one, -1, 1), 2);
  EXPECT_LT(worst_error(minus_one, exact_minus_one, -1e-8, 1e-8), 2);
  const auto logarithm = [](const Batch& x) { return log(x); };
  const auto exact_logarithm = [](long double x) { return std::log(x); };
  EXPECT_LT(worst_error(logarithm, exact_logarithm, 1e-300, 1e300), 2);
  EXPECT_LT(worst_error(logarithm, exact_logarithm, 0, 4), 2);
  EXPECT_LT(worst_error(logarithm, exact_logarithm, 0.999, 1.001), 2);
  EXPECT_LT(worst_error(logarithm, exact_logarithm, 1e-320, 1e-308), 2);
  const auto one_more = [](const Batch& x) { return log1p(x); };
  const auto exact_one_more = [](long double x) { return std::log1p(x); };
  EXPECT_LT(worst_error(one_more, exact_one_more, -0.9, 10), 4);
  EXPECT_LT(worst_error(one_more, exact_one_more, -1e-10, 1e-10), 4);
  const auto hyperbolic = [](const Batch& x) { return tanh(x); };
  const auto exact_hyperbolic = [](long double x) { return std::tanh(x); };
  EXPECT_LT(worst_error(hyperbolic, exact_hyperbolic, -25, 25), 4);
  EXPECT_LT(worst_error(hyperbolic, exact_hyperbolic, -1e-3, 1e-3), 4);
}

TEST(Batch, EndsOfTheRange) {
  const double infinity = INFINITY;
  const auto one = [](const Batch& x) { return x.v[3]; };
  EXPECT_EQ(one(exp(Batch(-infinity))), 0);
  EXPECT_EQ(one(exp(Batch(infinity))), infinity);
  EXPECT_EQ(one(exp(Batch(0.0))), 1);
  EXPECT_EQ(one(expm1(Batch(-infinity))), -1);
  EXPECT_EQ(one(expm1(Batch(0.0))), 0);
  EXPECT_EQ(one(log(Batch(1.0))), 0);
  EXPECT_EQ(one(log(Batch(0.0))), -infinity);
  EXPECT_EQ(one(log(Batch(infinity))), infinity);
  EXPECT_TRUE(std::isnan(one(log(Batch(-1.0)))));
  for (const auto& f : {one(exp(Batch(NAN))), one(expm1(Batch(NAN))), one(log(Batch(NAN))),
                        one(tanh(Batch(NAN)))}) {
    EXPECT_TRUE(std::isnan(f));
  }
  EXPECT_EQ(one(tanh(Batch(-infinity))), -1);
}

TEST(Batch, LanesAreIndependent) {
  const double in[] = {-3, -2, -1, 0, 1, 2, 3, 4};
  double out[Batch::kLanes];
  select(Batch::load(in) > Batch(0.5), Batch::load(in), Batch(-9.0)).store(out);
  for (int lane = 0; lane < Batch::kLanes; ++lane) {
    EXPECT_EQ(out[lane], in[lane] > 0.5 ? in[lane] : -9) << lane;
  }
  min(Batch::load(in), Batch(1.5)).store(out);
  for (int lane = 0; lane < Batch::kLanes; ++lane) EXPECT_EQ(out[lane], std::min(in[lane], 1.5));
}

// Everything a law is made of, over `x` in steps of a batch.
template <int kWidth>
std::vector<double> functions_of(const std::vector<double>& x) {
  using Narrow = BatchOf<-1, kWidth>;
  std::vector<double> out(6 * x.size());
  for (size_t i = 0; i < x.size(); i += kWidth) {
    const Narrow a = Narrow::load(x.data() + i);
    double* const to = out.data() + 6 * i;
    const Narrow results[] = {exp(a),        expm1(a), log(a),
                              log1p(abs(a)), tanh(a),  sqrt(a) * Narrow(-0.0)};
    for (size_t f = 0; f < 6; ++f) {
      for (size_t lane = 0; lane < kWidth; ++lane)
        to[lane * 6 + f] = results[f].v[static_cast<long>(lane)];
    }
  }
  return out;
}

TEST(Batch, BitsDoNotDependOnTheWidth) {
  std::vector<double> x(4096);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::exp(30 * random_uniform(2, i, 0) - 15);
  for (size_t i = 0; i < x.size(); i += 3) x[i] = -x[i];
  const auto bits_of = [](const std::vector<double>& values) {
    std::vector<uint64_t> bits(values.size());
    std::memcpy(bits.data(), values.data(), values.size() * sizeof(double));
    return bits;
  };
  const auto wide = bits_of(functions_of<8>(x));
  EXPECT_EQ(bits_of(functions_of<4>(x)), wide);
  EXPECT_EQ(bits_of(functions_of<2>(x)), wide);
}

}  // namespace
}  // namespace bitlaw
