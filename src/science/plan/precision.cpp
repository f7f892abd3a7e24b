#include "plan/precision.h"

#include <algorithm>

namespace bitlaw {

PrecisionChoice choice_of(const NamedPrecision& named) {
  PrecisionChoice out;
  out.name = named.name;
  out.bits = {named.weights.bits, named.activations.bits, named.kv.bits};
  out.storage = {named.weights.storage_bits, named.activations.storage_bits, named.kv.storage_bits};
  out.counts_kv = named.says_kv;
  if (named.quantized()) out.forward = named.name;
  const auto& format = named.weights.format;
  if (format && format->kind == FormatKind::kFloat && named.weights.quantized())
    out.exponent_bits = format->exponent_bits, out.mantissa_bits = format->mantissa_bits;
  return out;
}

Bits law_bits(const Precision& precision) {
  if (precision.choice == nullptr) return precision.bits;
  const auto seen = [](double bits) { return std::min(bits, kUnquantizedBits); };
  return {seen(precision.bits.weights), seen(precision.bits.activations), seen(precision.bits.kv)};
}

Bits serving_bits(const Bits& training, double post_bits) {
  Bits out = training;
  if (post_bits > 0) out.weights = std::min(out.weights, post_bits);
  return out;
}

Bits storage_bits(const Precision& precision, double post_bits) {
  return serving_bits(precision.choice ? precision.choice->storage : precision.bits, post_bits);
}

}  // namespace bitlaw
