#include <immintrin.h>

namespace bitlaw::linalg {
namespace {

struct Lanes {
  static constexpr int kCount = 8;
  __m512d v;
  static Lanes load(const double* x) { return {_mm512_loadu_pd(x)}; }
  static Lanes load(const float* x) { return {_mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(x))}; }
  void store(double* x) const { _mm512_storeu_pd(x, v); }
  static Lanes all(double x) { return {_mm512_set1_pd(x)}; }
  static Lanes product(Lanes a, Lanes b) { return {_mm512_mul_pd(a.v, b.v)}; }
  static Lanes fma(Lanes a, Lanes b, Lanes c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
};
constexpr int kTileRows = 8, kTileVectors = 3;  // 24 sums, 3 of B and 1 of A in 32 registers

}  // namespace
}  // namespace bitlaw::linalg

#include "linalg/kernel_body.h"

namespace bitlaw::linalg {

const Kernel kKernelAvx512 = kKernel;

}  // namespace bitlaw::linalg
