// The precision of a plan: bits of weights, activations, keys and values, and, if it was chosen by
// name, everything else the name defines (formats/precision.h).
#pragma once

#include <limits>
#include <string>

#include "formats/precision.h"
#include "laws/observation.h"

namespace bitlaw {

struct Bits {
  double weights = kUnquantizedBits, activations = kUnquantizedBits, kv = kUnquantizedBits;
  static Bits all(double bits) { return {bits, bits, bits}; }
  bool operator==(const Bits&) const = default;
};

// A precision by name, or a class that a law has a constant for.
struct PrecisionChoice {
  std::string name;       // "W4A4", "e4m3", "mxfp4"; "BF16" for what is not quantized
  Bits bits;              // of a code: the cost of arithmetic; 16 if the name does not define it
  Bits storage;           // including the scales that groups share: memory
  bool counts_kv = true;  // in the mean of a linear cost; false: weights and activations only
  std::string forward;    // class of the forward pass, as a law knows it; "" = from the bits
  std::string backward;   // class of the gradients; "" = not quantized
  double exponent_bits = kUnknown, mantissa_bits = kUnknown;  // floating point only
  double gaussian_error = kUnknown;  // its smallest mean squared error on a unit Gaussian
  Bits gradient_bits;                // cost of a backward pass ...
  bool own_gradients = false;        // ... if it differs from the forward pass
};

PrecisionChoice choice_of(const NamedPrecision& named);  // all but the Gaussian error

// The precision of a run. `choice` outlives it; null if the bits define it.
struct Precision {
  Bits bits;
  const PrecisionChoice* choice = nullptr;
};

// Bits as a law sees them: 16 and more by name are not quantized.
Bits law_bits(const Precision& precision);

// Bits after training: weights at post_bits if that is positive and fewer.
Bits serving_bits(const Bits& training, double post_bits);
Bits storage_bits(const Precision& precision, double post_bits);

}  // namespace bitlaw
