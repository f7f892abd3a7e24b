// The machine's own limit for matrix products, measured the way the engine multiplies: what the
// share of peak of a training step is a share of.
#pragma once

namespace bitlaw::cpu {

struct Peaks {
  double bf16_flops;  // FLOP/s of `threads` threads together, two for a multiply-add
  double fp32_flops;
};

// The best of several square and oblong shapes with a packed right side, every thread on its own
// matrices, through oneDNN; in processor time, so that busy neighbours do not lower it. Takes about
// a second. `threads` >= 1.
Peaks measure_peaks(int threads);

}  // namespace bitlaw::cpu
