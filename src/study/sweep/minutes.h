// --minutes: how much of a study fits into a time. The speed of every kind of run is measured on this
// machine, then all token counts shrink by one factor.
#pragma once

#include <optional>
#include <string>

#include "sweep/launcher.h"
#include "sweep/plan.h"
#include "sweep/speeds.h"

namespace bitlaw {

// The share that was decided before for this study, directory and time; empty if there is none.
std::optional<double> decided_scale(const SweepPlan& plan, double minutes);

// The share of the study's tokens that takes `minutes` in all, measuring included. It is decided once
// per directory of runs and kept there in study.json, so that a second call resumes the same runs.
// Empty if `options.stop` was set meanwhile.
std::optional<double> scale_for_minutes(const SweepPlan& plan, double minutes,
                                        const LaunchOptions& options, const SweepNote& note);

}  // namespace bitlaw
