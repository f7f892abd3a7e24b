// The additive power law that Kumar et al. (2024, arXiv 2411.04330, appendix C) compare theirs
// with, in nats per token:
//
//   L = E + A / N^alpha + B / D^beta + sum_x k_x / P_x^c_x
//
// Bits cost the same at every size and token count. The paper names this form without giving its
// terms. Assumed here: a power law in the bits of each part, also at 16 bits (which cost
// k_x / 16^c_x), and zero at unlimited bits.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

// k and c of k / P^c.
constexpr Parameter error_at_one_bit(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-12, 1e12}, {1e-1, 100}).solved_for().identified_by(of, 1);
}
constexpr Parameter exponent_of_bits(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-2, 60}, {1, 8}).identified_by(of, 2);
}

struct KumarAdditive {
  static constexpr const char* kName = "kumar-additive";
  static constexpr const char* kTitle = "Additive power law in bits, independent of N and D";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (name only; the form is inferred)";
  static constexpr const char* kFormula = "L = E + A/N^alpha + B/D^beta + sum_x k_x/P_x^c_x";
  static constexpr const char* kNotes =
      "The paper names this form without giving its terms. Assumed: a power law in the bits of "
      "each part, also at 16 bits, and zero at unlimited bits.";
  static constexpr bool kUsesBits = true;

  enum { kKW = Chinchilla::kTrainingParameters, kCW, kKA, kCA, kKKv, kCKv, kTrainingParameters };
  static constexpr std::array kParameters = joined(
      Chinchilla::kParameters,
      std::array{
          error_at_one_bit("k_w", "error of weights at one bit, nats", Quantity::kWeightBits),
          exponent_of_bits("c_w", "exponent of bits, weights", Quantity::kWeightBits),
          error_at_one_bit("k_a", "error of activations at one bit, nats",
                           Quantity::kActivationBits),
          exponent_of_bits("c_a", "exponent of bits, activations", Quantity::kActivationBits),
          error_at_one_bit("k_kv", "error of keys and values at one bit, nats", Quantity::kKvBits),
          exponent_of_bits("c_kv", "exponent of bits, keys and values", Quantity::kKvBits)});

  static constexpr auto kStart =
      values_of(kParameters, first<kKW>(Kumar::kPublished), is(kKW, 10), is(kCW, 3), is(kKA, 10),
                is(kCA, 3), is(kKKv, 10), is(kCKv, 3));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: E, A, B, alpha and beta of the "
                            "paper's own law, round numbers for the rest",
                  .values = kStart}};

  // k / P^c; 0 at unlimited bits.
  template <class Real, class Number>
  static BITLAW_INLINE Real error_of(const Number& bits, const Real& k, const Real& c) {
    using std::log;
    const Real error = k * falling(c, log(bits));
    return select(bits < kManyBits, error, Real(Number(0.0)));
  }

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return Chinchilla::loss(p, run) + error_of(run.bits_weights, p[kKW], p[kCW]) +
           error_of(run.bits_activations, p[kKA], p[kCA]) + error_of(run.bits_kv, p[kKKv], p[kCKv]);
  }
};

}  // namespace bitlaw
