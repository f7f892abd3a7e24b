// FP32 to 16 bits, to the nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

namespace bitlaw::hf {

// BF16: the upper half of an FP32. Values above its largest become infinite.
inline uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// FP16 (IEEE 754 binary16). Values from 65520 on become infinite. Not for NaN.
inline uint16_t fp16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude >= 0x477FF000) return sign | 0x7C00;  // 65520
  if (magnitude < 0x38800000) {  // below 2^-14: the adder rounds to multiples of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000));
  }
  const uint32_t rebiased = magnitude - (112u << 23);  // exponent bias 127 to 15
  return static_cast<uint16_t>(sign | (rebiased + 0xFFF + (rebiased >> 13 & 1)) >> 13);
}

}  // namespace bitlaw::hf
