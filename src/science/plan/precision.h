// What a part of a model is computed in: bits for weights, activations, keys and values, and, where
// bits do not say it all, the format behind them.
#pragma once

#include <limits>
#include <string>

#include "laws/observation.h"

namespace bitlaw {

struct Bits {
  double weights = kUnquantizedBits, activations = kUnquantizedBits, kv = kUnquantizedBits;
  static Bits all(double bits) { return {bits, bits, bits}; }
  bool operator==(const Bits&) const = default;
};

// A format, or a precision class that a law has a constant for.
struct NamedPrecision {
  std::string name;       // "W4A4", "e4m3", "mxfp4"; "BF16" for what is not quantized
  Bits bits;              // KV is 16 where the name says nothing of it and means a class
  bool counts_kv = true;  // in the mean of a linear cost; false: of weights and activations alone
  std::string forward;    // class of the forward pass, as a law knows it; "" = from the bits
  std::string backward;   // class of the gradients; "" = not quantized
  double exponent_bits = kUnknown, mantissa_bits = kUnknown;  // floating point only
  double gaussian_error = kUnknown;  // its least mean squared error on a unit Gaussian
  Bits gradient_bits;                // what a backward pass costs ...
  bool own_gradients = false;        // ... where it is not as the forward
};

// The precision of a run. `format` outlives it; null where the bits say all.
struct Precision {
  Bits bits;
  const NamedPrecision* format = nullptr;
};

// Bits after training: weights at post_bits where that is positive and fewer.
Bits serving_bits(const Bits& training, double post_bits);

// Reads "W4A4", "W4A16", "W4A4KV4", "int4", "fp8", "mxfp4", "e4m3", "BF16" or a bare "4". Parts that
// W4A4 does not name are at 16 bits; other names mean all parts. False where the name says no bits.
bool read_format(const std::string& name, NamedPrecision& out);

}  // namespace bitlaw
