// Peak rate of fused multiply-adds in double on this thread: enough independent chains in registers
// to hide the latency.
#pragma once

#include <cstdint>

#include "base/isa.h"
#include "program.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bitlaw::bench {

#if defined(__x86_64__)
__attribute__((target("avx512f"))) inline double fma_chains_avx512(int64_t steps) {
  __m512d sum[16];
  for (int i = 0; i < 16; ++i) sum[i] = _mm512_set1_pd(i);
  const __m512d a = _mm512_set1_pd(0.999), b = _mm512_set1_pd(0.001);
  for (int64_t s = 0; s < steps; ++s) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) sum[i] = _mm512_fmadd_pd(sum[i], a, b);
  }
  for (int i = 1; i < 16; ++i) sum[0] = _mm512_add_pd(sum[0], sum[i]);
  double lanes[8];
  _mm512_storeu_pd(lanes, sum[0]);
  return lanes[0];
}

__attribute__((target("avx2,fma"))) inline double fma_chains_avx2(int64_t steps) {
  __m256d sum[12];
  for (int i = 0; i < 12; ++i) sum[i] = _mm256_set1_pd(i);
  const __m256d a = _mm256_set1_pd(0.999), b = _mm256_set1_pd(0.001);
  for (int64_t s = 0; s < steps; ++s) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) sum[i] = _mm256_fmadd_pd(sum[i], a, b);
  }
  for (int i = 1; i < 12; ++i) sum[0] = _mm256_add_pd(sum[0], sum[i]);
  return _mm256_cvtsd_f64(sum[0]);
}
#endif

inline double fma_chains_plain(int64_t steps) {
  double sum[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  for (int64_t s = 0; s < steps; ++s) {
    for (double& value : sum) value = __builtin_fma(value, 0.999, 0.001);
  }
  return sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

// GFLOP/s of the calling thread (an FMA counts two), over about `seconds`.
inline double measured_fma_peak(double seconds) {
  int64_t flops_per_step = 2 * 8;
  double (*chains)(int64_t) = fma_chains_plain;
#if defined(__x86_64__)
  if (best_isa() == Isa::kAvx2) {
    chains = fma_chains_avx2;
    flops_per_step = 2 * 12 * 4;
  } else if (best_isa() == Isa::kAvx512) {
    chains = fma_chains_avx512;
    flops_per_step = 2 * 16 * 8;
  }
#endif
  double best = 0;
  volatile double keep = 0;
  const int64_t steps = 200'000;
  for (const double end = now() + seconds; now() < end;) {
    const double start = now();
    keep = keep + chains(steps);
    best = std::max(best, static_cast<double>(steps * flops_per_step) / (now() - start) * 1e-9);
  }
  return best;
}

}  // namespace bitlaw::bench
