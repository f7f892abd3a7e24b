// Scaling law for floating-point quantized training of Sun et al. (2025, arXiv 2501.02423), in nats
// per token:
//
//   L = n / N^alpha + d / D^beta + epsilon
//       + D^beta / N^alpha  log2(B) / (gamma (X + 1/2)^delta (M + 1/2)^nu)
//
// The format has X exponent and M mantissa bits (E and M in the paper), and B entries share a
// scale. The error grows with D and falls with N with the same exponents as the loss. Rows without
// a format count as BF16 (X = 8, M = 7) from 16 bits on, and as an integer (X = 0, M = P - 1)
// below. If B is unknown, log2 B is absorbed into gamma.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct SunFp {
  static constexpr const char* kName = "sun-fp";
  static constexpr const char* kTitle = "Floating-point training: exponent, mantissa and block";
  static constexpr const char* kSource = "Sun et al. 2025, arXiv 2501.02423";
  static constexpr const char* kFormula =
      "L = n/N^alpha + d/D^beta + epsilon + D^beta/N^alpha log2(B) / (gamma (X + 1/2)^delta "
      "(M + 1/2)^nu)";
  static constexpr const char* kNotes =
      "The format has X exponent and M mantissa bits (E and M in the paper), and B entries share a "
      "scale. Rows without a format count as BF16 (X = 8, M = 7) from 16 bits on, and as an "
      "integer "
      "(X = 0, M = P - 1) below. If B is unknown, log2 B is absorbed into gamma.";
  static constexpr bool kUsesBits = true;

  enum { kN, kAlpha, kD, kBeta, kEpsilon, kGamma, kDelta, kNu, kTrainingParameters };
  static constexpr std::array kParameters{
      size_term("n", "loss at N = 1 from finite size, nats"),
      exponent_of_size("alpha"),
      data_term("d", "loss at D = 1 from finite data, nats"),
      exponent_of_data("beta"),
      irreducible_loss("epsilon"),
      positive("gamma", "divisor of the quantization error", {1e-6, 1e15}, {10, 1e6})
          .identified_by(Quantity::kAnyBits, 1),
      positive("delta", "decrease of the error with exponent bits", {1e-2, 20}, {0.5, 6})
          .identified_by(Quantity::kExponentBits, 2),
      positive("nu", "decrease of the error with mantissa bits", {1e-2, 20}, {0.5, 6})
          .identified_by(Quantity::kMantissaBits, 2)};

  static constexpr auto kPublished = values_of(
      kParameters, is(kN, 69.2343), is(kAlpha, 0.2368), is(kD, 68973.0621), is(kBeta, 0.5162),
      is(kEpsilon, 1.9061), is(kGamma, 11334.5197), is(kDelta, 3.1926), is(kNu, 2.9543));
  static constexpr std::array kConstants{ConstantSet{
      .name = "published", .source = "Sun et al. 2025, arXiv 2501.02423", .values = kPublished}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    using std::log;
    const auto unquantized = run.bits_weights >= kUnquantizedBits;
    const Number exponent =
        or_else(run.exponent_bits, select(unquantized, Number(8.0), Number(0.0)));
    const Number mantissa =
        or_else(run.mantissa_bits,
                select(unquantized, Number(7.0), max(run.bits_weights - Number(1.0), Number(0.0))));
    const Number log2_block = or_else(run.log_group * (1 / kLog2), Number(1.0));
    const Real size = falling(p[kAlpha], run.log_params), data = falling(p[kBeta], run.log_tokens);
    const Real resolution =
        p[kGamma] * exp(p[kDelta] * log(exponent + 0.5) + p[kNu] * log(mantissa + 0.5));
    return p[kN] * size + p[kD] * data + p[kEpsilon] + size / data * log2_block / resolution;
  }
};

}  // namespace bitlaw
