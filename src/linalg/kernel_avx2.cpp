#include <immintrin.h>

namespace bitlaw::linalg {
namespace {

struct Lanes {
  static constexpr int kCount = 4;
  __m256d v;
  static Lanes load(const double* x) { return {_mm256_loadu_pd(x)}; }
  static Lanes load(const float* x) { return {_mm256_cvtps_pd(_mm_loadu_ps(x))}; }
  void store(double* x) const { _mm256_storeu_pd(x, v); }
  static Lanes all(double x) { return {_mm256_set1_pd(x)}; }
  static Lanes product(Lanes a, Lanes b) { return {_mm256_mul_pd(a.v, b.v)}; }
  static Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
};
constexpr int kTileRows = 4, kTileVectors = 3;  // 12 sums, 3 of B and 1 of A: all 16 registers

}  // namespace
}  // namespace bitlaw::linalg

#include "linalg/kernel_body.h"

namespace bitlaw::linalg {

const Kernel kKernelAvx2 = kKernel;

}  // namespace bitlaw::linalg
