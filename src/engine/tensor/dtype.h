// Element types of tensors, and the 16-bit float of matrix products.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/half.h"

namespace bitlaw {

enum class DType { kF64, kF32, kBF16 };

inline size_t size_of(DType dtype) {
  return dtype == DType::kF64 ? 8 : dtype == DType::kF32 ? 4 : 2;
}
const char* name_of(DType dtype);

struct BFloat16 {
  uint16_t bits;
  float value() const { return bf16_value(bits); }
};

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kF64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kF32;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::kBF16;
};

}  // namespace bitlaw
