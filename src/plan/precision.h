// What a part of a model is computed in: bits for weights, activations, keys and values, and, where
// bits do not say it all, the format behind them.
#pragma once

#include <string>

#include "laws/observation.h"

namespace bitlaw {

struct Bits {
  double weights = kUnquantizedBits, activations = kUnquantizedBits, kv = kUnquantizedBits;
  static Bits all(double bits) { return {bits, bits, bits}; }
  bool operator==(const Bits&) const = default;
};

// A format, or a precision class that a law has a constant for.
struct Format {
  std::string name;      // "W4A4", "e4m3", "mxfp4"; "BF16" for what is not quantized
  Bits bits;             // what it costs
  std::string forward;   // class of the forward pass, as a law knows it; "" = from the bits
  std::string backward;  // class of the gradients; "" = not quantized
  double exponent_bits = kUnknown, mantissa_bits = kUnknown;  // floating point only
  Bits gradient_bits;                                         // what a backward pass costs ...
  bool own_gradients = false;                                 // ... where it is not as the forward
};

// The precision of a run. `format` outlives it; null where the bits say all.
struct Precision {
  Bits bits;
  const Format* format = nullptr;
};

// Reads "W4A4", "W4A16", "W4A4KV4", "int4", "fp8", "mxfp4", "e4m3", "BF16" or a bare "4". Weights
// and activations of classes such as W4A4 are as said, the rest 16; other names mean all parts.
// False where the name says no bits.
bool read_format(const std::string& name, Format& out);

}  // namespace bitlaw
