// Included by one file per instruction set, which defines kIsa before; everything here has internal
// linkage.
#pragma once

#include "fit/residual_kernel.h"
#include "laws/batch.h"

namespace bitlaw {
namespace {

using Batch = BatchOf<kIsa>;

bool link(long rows, const double* logarithmic, const double* target, const double* scale,
          double* r, double* slope) {
  Batch worst(0.0);  // stays zero while all residuals are finite: 0 times another number is NaN
  for (long i = 0; i < rows; i += Batch::kLanes) {
    const Batch value = Batch::load(r + i), factor = Batch::load(scale + i);
    const auto by_ratio = Batch::load(logarithmic + i) > Batch(0.5);
    const Batch linked = select(by_ratio, log(value), value);
    const Batch residual = factor * (linked - Batch::load(target + i));
    residual.store(r + i);
    worst += 0.0 * residual;
    if (slope) (factor * select(by_ratio, 1.0 / value, Batch(1.0))).store(slope + i);
  }
  double sum = 0;
  for (int lane = 0; lane < Batch::kLanes; ++lane) sum += worst.v[lane];
  return sum == 0;
}

void combine(long rows, const double* slope, int count, const double* factors,
             const double* const* columns, double* out) {
  for (long i = 0; i < rows; i += Batch::kLanes) {
    Batch sum(0.0);
    for (int k = 0; k < count; ++k) sum += Batch(factors[k]) * Batch::load(columns[k] + i);
    (Batch::load(slope + i) * sum).store(out + i);
  }
}

}  // namespace
}  // namespace bitlaw
