#include "base/float_mode.h"

#include <immintrin.h>

namespace bitlaw {
namespace {

constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;  // bits of MXCSR

}  // namespace

FlushSubnormals::FlushSubnormals() : before_(_mm_getcsr()) {
  _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero);
}

FlushSubnormals::~FlushSubnormals() {
  _mm_setcsr(before_);
}

}  // namespace bitlaw
