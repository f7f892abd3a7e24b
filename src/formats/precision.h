// Names of precisions, and what each name means for each part of a model. Tables, laws, plans,
// recipes and results all parse names here; docs/formats.md has the table.
//
//   a format            int4, 4, e2m1, fp8, mxfp4, nvfp4, int4-e8m0 ...: weights and activations
//   bits of each part   W4A16, W4A4KV8, W3A16g128 (128 weights share a scale of 16 bits); also
//                       apart: W4 A4, W4-A4, W4_A4, W4/A4
//   not quantized       BF16, FP16, 16, none, NoQuantizer, W16A16 and "", and FP32 or 32: all parts;
//                       also as training frameworks say it: bf16-mixed, 32-true, amp_bfloat16,
//                       torch.bfloat16, no, full precision
//
// Keys, values and queries are quantized only if the name says so. Case does not matter.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/format.h"
#include "formats/scale_rule.h"

namespace bitlaw {

// Bits of a part that is not quantized: BF16. Laws use the number as it is: f(16) is 0.997, not 1.
inline constexpr double kUnquantizedBits = 16;

// Precision of one part of a model.
struct PartPrecision {
  double bits = kUnquantizedBits;          // per code: the cost of arithmetic
  double storage_bits = kUnquantizedBits;  // per code with its share of a scale: the cost of memory
  int group = 0;                           // entries that share a scale; 0: the name does not say
  std::optional<Format> format = bf16_format();  // of the codes; empty for fp6, which has two
  ScaleRule scales = ScaleRule::kFloat32;        // what the name says; FP32 if it says nothing

  bool quantized() const { return bits < kUnquantizedBits; }
  // Bits that a law sees: at most 16, which means not quantized.
  double law_bits() const { return quantized() ? bits : kUnquantizedBits; }
  bool operator==(const PartPrecision&) const = default;
};

struct NamedPrecision {
  std::string name = "BF16";  // "W4A16", "W4A4KV8" etc. in canonical spelling; others as written
  PartPrecision weights, activations, kv, queries;
  bool says_kv = false;  // whether the name mentions keys and values
  std::string ending;    // "-hadamard", in lower case; parts may also stand behind it

  bool quantized() const;
  bool has_parts_of(const NamedPrecision& other) const;  // equal in every part
};

// Empty if the text does not name a precision; such a name is a label.
std::optional<NamedPrecision> named_precision(std::string_view text);

// Whether both name one precision: equal in every part and in the ending, or not quantized either.
// A label is equal only to itself.
bool is_same_precision(std::string_view a, std::string_view b);

// Whether the text names a precision in which no part is quantized.
bool is_unquantized(std::string_view text);

// Precision of one part by the name of a format (formats/format.h) or a common alias: fp4 and mxfp4
// have the codes of e2m1, fp8 those of e4m3. If the text is neither, part_precision throws Error
// and find_part_precision returns nothing.
PartPrecision part_precision(std::string_view text);
std::optional<PartPrecision> find_part_precision(std::string_view text);

// Bits that a law sees for a part in this format.
double law_bits(const Format& format);

}  // namespace bitlaw
