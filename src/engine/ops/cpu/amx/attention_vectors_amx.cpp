#include "ops/cpu/amx/attention_vectors_amx.h"

#include "ops/cpu/amx/attention_amx.h"

namespace bitlaw::cpu::amx {

void powers_of_two(const float* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(y + i, exponential2(_mm512_loadu_ps(x + i)));
}

void logarithms(const float* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(y + i, logarithm(_mm512_loadu_ps(x + i)));
}

}  // namespace bitlaw::cpu::amx
