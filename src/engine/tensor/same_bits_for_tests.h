// Whether two tensors are the same to the bit, for tests.
#pragma once

#include <cstring>

#include "tensor/tensor.h"

namespace bitlaw {

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

}  // namespace bitlaw
