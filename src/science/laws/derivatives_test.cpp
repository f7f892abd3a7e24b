// Every law, wherever a fit may start: values are numbers on rows of every kind, and derivatives are
// those of the values.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "laws/bind.h"
#include "laws/registry.h"

namespace bitlaw {
namespace {

Observation run_of(double params, double tokens, double weights, double activations, double kv) {
  Observation run;
  run.params = params, run.tokens = tokens;
  run.bits_weights = weights, run.bits_activations = activations, run.bits_kv = kv;
  return run;
}

// Small and large, unquantized, one bit, unlimited, floating point, groups, repeated tokens, more
// parameters than tokens, quantized afterwards.
std::vector<Observation> rows_of_every_kind() {
  std::vector<Observation> rows{run_of(1e5, 4e6, 16, 16, 16),
                                run_of(7e10, 1.5e13, 16, 16, 16),
                                run_of(3e7, 3e9, 1, 1, 1),
                                run_of(3e7, 3e9, 4, 5, 6),
                                run_of(2e8, 1e10, kUnlimitedBits, kUnlimitedBits, kUnlimitedBits),
                                run_of(1e9, 1e7, 3, 16, 16)};
  Observation row = run_of(2e8, 1e10, 4, 4, 16);
  row.exponent_bits = 2, row.mantissa_bits = 1, row.group = 32, row.backward = "MXFP4";
  rows.push_back(row);
  row = run_of(2e8, 1e10, 8, 8, 16);
  row.group = 1;
  rows.push_back(row);
  row = run_of(2e8, 1e10, 16, 16, 16);
  row.unique_tokens = 1e6;
  rows.push_back(row);
  row.bits_post = 3;
  rows.push_back(row);
  row.bits_weights = 2;
  rows.push_back(row);
  return rows;
}

// Kumar's laws have no parameters left where f is far below zero; their loss there is as large as
// it may be, infinite included.
constexpr double kAbsurd = 1e6;

double drawn(const Parameter& parameter, double uniform) {
  const double low = parameter.start_low, high = parameter.start_high;
  return parameter.scale == Scale::kLog ? low * std::pow(high / low, uniform)
                                        : low + (high - low) * uniform;
}

struct Evaluated {
  std::vector<double> values, jacobian;
};

Evaluated evaluate(const Law& law, bool post, const std::vector<double>& p, const Rows& rows) {
  const size_t width = post ? law.parameters.size() : law.training_parameters;
  Evaluated out{std::vector<double>(rows.stride()), std::vector<double>(width * rows.stride())};
  (post ? evaluate_delta : evaluate_loss)(law, p.data(), rows, out.values.data(),
                                          out.jacobian.data());
  return out;
}

TEST(Derivatives, AreThoseOfTheValuesWhereverAFitMayStart) {
  const std::vector<Observation> runs = rows_of_every_kind();
  uint64_t index = 0;
  for (const Law& unbound : laws()) {
    const BoundLaw bound = bind_law(unbound, runs);
    const Law& law = bound.law();
    const Rows rows(law, runs);
    for (int draw = 0; draw < 20; ++draw) {
      std::vector<double> p;
      for (const Parameter& parameter : law.parameters) {
        const double value = drawn(parameter, random_uniform(17, 0, index++));
        p.push_back(parameter.scale == Scale::kTimesLast ? value / p.back() : value);
      }
      for (const bool post : {false, true}) {
        if (post && !law.has_delta) continue;
        const Evaluated at = evaluate(law, post, p, rows);
        const size_t width = at.jacobian.size() / rows.stride();
        for (size_t i = 0; i < runs.size(); ++i)
          ASSERT_FALSE(std::isnan(at.values[i])) << law.name << " row " << i;
        for (size_t j = 0; j < width; ++j) {
          // A relative step of 1e-5 errs by (1e-5)^2 / 6 of the third derivative in log p, which
          // for exp(-p x) with p x up to 40 is up to 1e-6 of the value, and by rounding, 1e-11.
          const double h = 1e-5 * std::max(std::abs(p[j]), 1e-3);
          std::vector<double> up = p, down = p;
          up[j] += h, down[j] -= h;
          const Evaluated above = evaluate(law, post, up, rows),
                          below = evaluate(law, post, down, rows);
          for (size_t i = 0; i < runs.size(); ++i) {
            if (at.values[i] > kAbsurd) continue;
            const double exact = at.jacobian[j * rows.stride() + i] * h * 2;
            const double difference = above.values[i] - below.values[i];
            ASSERT_NEAR(exact, difference, 1e-5 * std::abs(exact) + 1e-13 * std::abs(at.values[i]))
                << law.name << " " << law.parameters[j].name << " row " << i;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
