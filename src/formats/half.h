// Conversion between FP32 and the bits of the two 16-bit floats. Rounding is to nearest, ties to
// even; magnitudes beyond the largest number become infinite; NaN stays NaN. The way back is exact.
//
//   BF16   1 sign, 8 exponent, 7 mantissa bits: the upper half of an FP32
//   FP16   1 sign, 5 exponent, 10 mantissa bits: IEEE 754 binary16, largest 65504
//
// These are the only definition; vectorized kernels in ops/cpu equal them bit for bit. Both
// directions give the same bits if subnormal floats are flushed to zero, because no FP16 is
// subnormal as FP32.
#pragma once

#include <bit>
#include <cstdint>

namespace bitlaw {

// Infinite from 2^128 - 2^119 up, half a step beyond the largest BF16.
inline uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>(bits >> 16 | 0x40);  // NaN
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
inline float bf16_value(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}
inline float round_to_bf16(float value) {
  return bf16_value(bf16_bits(value));
}

// Infinite from 65520 up, half a step beyond the largest FP16.
inline uint16_t fp16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
  const auto with_sign = [&](uint32_t code) { return static_cast<uint16_t>(sign | code); };
  if (magnitude > 0x7F800000) return with_sign(0x7E00);   // NaN
  if (magnitude >= 0x477FF000) return with_sign(0x7C00);  // 65520
  if (magnitude < 0x38800000) {  // below 2^-14: the adder rounds to multiples of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return with_sign(std::bit_cast<uint32_t>(shifted) - 0x3F000000);
  }
  const uint32_t rebiased = magnitude - (112u << 23);  // exponent bias 127 to 15
  return with_sign((rebiased + 0xFFF + (rebiased >> 13 & 1)) >> 13);
}
inline float fp16_value(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16, exponent = bits >> 10 & 31u,
                 fraction = bits & 1023u;
  uint32_t magnitude;
  if (exponent == 31) {
    magnitude = 0x7F800000 | fraction << 13;
  } else if (exponent != 0) {
    magnitude = (exponent + 112) << 23 | fraction << 13;
  } else {  // zero or subnormal: fraction 2^-24
    magnitude = std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-24f);
  }
  return std::bit_cast<float>(sign | magnitude);
}

}  // namespace bitlaw
