// What tables write for a precision, and what it says: "e2m1", "MXFP4", "bf16", "W4A16".
#pragma once

#include <optional>
#include <string>

#include "formats/format.h"

namespace bitlaw {

// Not quantized, by any of its usual names, in either case: "", 16, bf16, fp16, fp32, none,
// NoQuantizer, W16A16, W16A16KV16.
bool is_reference_class(const std::string& text);

// A format by its name (formats/format.h) or a usual other one (fp4 and mxfp4 are e2m1, fp8 is
// e4m3, fp16 counts as bf16), in either case. Error where it is none.
Format format_named(const std::string& text);

// What the name of a precision class says of the forward pass.
struct NamedPrecision {
  std::string name;                 // "W4A16" and the like in one spelling; formats as they are
  double weights, activations, kv;  // bits; 16 where the name does not say
  std::optional<Format> format;     // where it is one of floating-point numbers
};

// "W4A16", "W4A4KV8", "w3a16g128"; or the name of a floating-point format, which then holds for
// weights and activations. Nothing for other names: they are labels.
std::optional<NamedPrecision> named_precision(const std::string& text);

}  // namespace bitlaw
