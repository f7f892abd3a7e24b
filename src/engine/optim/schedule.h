// Learning rate over the steps of a run, as a share of its peak: a pure function of the step.
//
// With S steps, of which W = warmup_steps or round(warmup S) are warm-up, and final share f, the share
// at step s = 0 .. S-1 is (s + 1) / W in the warm-up, and then
//
//   cosine   f + (1 - f) (1 + cos(pi p)) / 2       p = (s - W) / (S - W)
//   linear   1 - (1 - f) p
//   wsd      1, then over the last K = round(decay S) steps, with q = (s - S + K) / K,
//            1 - (1 - f) q, or 1 - (1 - f) sqrt(q) with decay_shape = 1-sqrt
//
// so that no step has a rate of zero, even if f = 0. WSD is "warm-up, stable, decay" (Hu et al.,
// MiniCPM, arXiv 2404.06395), 1-sqrt is from Hägele et al. (arXiv 2405.18392); Kumar et al. (arXiv
// 2411.04330) trained with cosine to 10 % after 10 % warm-up.
//
// Before its decay, a wsd schedule with warmup_steps does not depend on S: runs of several lengths
// have the same beginning (train/trunk.h).
#pragma once

#include <cstdint>
#include <string>

namespace bitlaw {

struct ScheduleConfig {
  std::string kind = "cosine";         // cosine, wsd or linear
  double warmup = 0.1;                 // share of the steps, 0 <= warmup < 1
  double decay = 0.15;                 // share of the steps, wsd only; warmup + decay <= 1
  double final = 0.1;                  // share of the peak at the end, 0 <= final <= 1
  int64_t warmup_steps = 0;            // instead of the share; 0: the share
  std::string decay_shape = "linear";  // or 1-sqrt; wsd only

  template <class V>
  void visit(V& v) {
    v("kind", kind, "learning rate over the run: cosine, wsd (warm-up, stable, decay) or linear");
    v("warmup", warmup, "share of the steps in the warm-up");
    v("decay", decay, "share of the steps in the final decay (wsd only)");
    v("final", final, "final rate as a share of the peak");
    v("warmup_steps", warmup_steps,
      "steps in the warm-up, whatever the length; 0: schedule.warmup");
    v("decay_shape", decay_shape, "shape of the final decay (wsd only): linear or 1-sqrt");
  }

  // Checks the values and sets those that `kind` does not use to 0, so that equal schedules compare
  // equal. Error for an unknown kind or a share out of range.
  ScheduleConfig resolved() const;
};

// Share of the peak rate at `step` of `steps`, in (0, 1]; 0 <= step < steps.
double schedule_share(const ScheduleConfig& resolved, int64_t step, int64_t steps);

int64_t warmup_steps(const ScheduleConfig& resolved, int64_t steps);
int64_t decay_steps(const ScheduleConfig& resolved, int64_t steps);  // wsd only, else 0

// Error if `steps` leave no room for warm-up and decay.
void check_length(const ScheduleConfig& resolved, int64_t steps);

}  // namespace bitlaw
