// The machine's peak for matrix products, measured the way the engine multiplies: the reference for
// the share of peak of a training step.
#pragma once

namespace bitlaw::cpu {

struct Peaks {
  double bf16_flops;  // FLOP/s of all `threads` together; a multiply-add counts as two
  double fp32_flops;
};

// The best of several square and oblong shapes with a packed right side, every thread on its own
// matrices, through oneDNN; in processor time, so that busy neighbours do not lower it. Takes about
// a second. `threads` >= 1.
Peaks measure_peaks(int threads);

}  // namespace bitlaw::cpu
