#include "formats/rotation.h"

#include <bit>
#include <cmath>

#include "base/error.h"

namespace bitlaw {

int64_t rotation_width(int64_t columns, int64_t most) {
  BITLAW_CHECK(columns > 0 && most > 0);
  int64_t width = columns & -columns;
  while (width > most) width /= 2;
  return width;
}

template <class Real>
Real rotation_factor(int64_t width) {
  return static_cast<Real>(1 / std::sqrt(static_cast<double>(width)));
}

template <class Real>
void rotate_blocks(Real* x, int64_t count, int64_t width) {
  BITLAW_CHECK(width > 0 && std::has_single_bit(static_cast<uint64_t>(width)) &&
               count % width == 0);
  for (int64_t half = 1; half < width; half *= 2) {
    for (int64_t begin = 0; begin < count; begin += 2 * half) {
      for (int64_t i = begin; i < begin + half; ++i) {
        const Real a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
  const Real factor = rotation_factor<Real>(width);
  for (int64_t i = 0; i < count; ++i) x[i] *= factor;
}

template float rotation_factor<float>(int64_t);
template double rotation_factor<double>(int64_t);
template void rotate_blocks<float>(float*, int64_t, int64_t);
template void rotate_blocks<double>(double*, int64_t, int64_t);

}  // namespace bitlaw
