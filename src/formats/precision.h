// What a precision is called, and what each part of a model gets by that name. Tables, laws, plans,
// recipes and results all read names here; docs/formats.md has the table.
//
//   a format            int4, 4, e2m1, fp8, mxfp4, nvfp4 ...: weights and activations
//   bits of each part   W4A16, W4A4KV8, W3A16g128 (128 weights share a scale of 16 bits)
//   not quantized       BF16, FP16, 16, none, NoQuantizer, W16A16 and "", and FP32 or 32: all parts
//
// Keys, values and queries are quantized only if the name says so. Capitals do not count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/format.h"

namespace bitlaw {

// Bits of a part that is not quantized: BF16. Laws take them at their word: f(16) is 0.997, not 1.
inline constexpr double kUnquantizedBits = 16;

// What one part of a model is computed and stored in.
struct PartPrecision {
  double bits = kUnquantizedBits;          // of a code: what arithmetic costs
  double storage_bits = kUnquantizedBits;  // with its share of a scale: what memory holds
  int group = 0;                           // entries that share a scale; 0: the name does not say
  std::optional<Format> format = bf16_format();  // of a code; none for fp6, which is two formats

  bool quantized() const { return bits < kUnquantizedBits; }
  // What a law sees: 16 and more is not quantized.
  double law_bits() const { return quantized() ? bits : kUnquantizedBits; }
  bool operator==(const PartPrecision&) const = default;
};

struct NamedPrecision {
  std::string name = "BF16";  // "W4A16", "W4A4KV8" and the like in one spelling; others as written
  PartPrecision weights, activations, kv, queries;
  bool says_kv = false;  // whether the name speaks of keys and values

  bool quantized() const;
  bool has_parts_of(const NamedPrecision& other) const;  // the same in every part
};

// Nothing if the text names no precision: such a name is a label.
std::optional<NamedPrecision> named_precision(std::string_view text);

// Whether the text names a precision in which no part is quantized.
bool is_unquantized(std::string_view text);

// A format of one part by its own name (formats/format.h) or a usual other one: fp4 and mxfp4 have
// the codes of e2m1, fp8 those of e4m3. Error if it is none; nothing, if it may not throw.
PartPrecision part_precision(std::string_view text);
std::optional<PartPrecision> find_part_precision(std::string_view text);

// What a law sees of a part in this format.
double law_bits(const Format& format);

}  // namespace bitlaw
