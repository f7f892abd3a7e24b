namespace bitlaw::linalg {
namespace {

struct Lanes {
  static constexpr int kCount = 1;
  double v;
  static Lanes load(const double* x) { return {*x}; }
  static Lanes load(const float* x) { return {*x}; }
  void store(double* x) const { *x = v; }
  static Lanes all(double x) { return {x}; }
  static Lanes product(Lanes a, Lanes b) { return {a.v * b.v}; }
  static Lanes fma(Lanes a, Lanes b, Lanes c) { return {__builtin_fma(a.v, b.v, c.v)}; }
};
constexpr int kTileRows = 4, kTileVectors = 4;

}  // namespace
}  // namespace bitlaw::linalg

#include "linalg/kernel_body.h"

namespace bitlaw::linalg {

const Kernel kKernelPlain = kKernel;

}  // namespace bitlaw::linalg
