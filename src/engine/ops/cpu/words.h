// BF16 numbers as the words that kernels take. Internal to ops/cpu.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace bitlaw::cpu {

inline uint16_t* words(const Tensor& x) {
  return reinterpret_cast<uint16_t*>(x.bf16());
}
inline const uint16_t* words(const void* data) {
  return static_cast<const uint16_t*>(data);
}

}  // namespace bitlaw::cpu
