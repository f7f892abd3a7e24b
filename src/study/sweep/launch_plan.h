// The jobs of a plan, through a launcher.
#pragma once

#include <chrono>
#include <vector>

#include "sweep/launcher.h"
#include "sweep/plan.h"

namespace bitlaw {

// Writes what jobs and other workers read, and launches. `start`: when the work for them began. The time
// is kept with the runs, if it was spent on this machine.
Launched launch_plan(
    std::vector<Job> jobs, const SweepPlan& plan, const Launcher& launcher,
    const LaunchOptions& options,
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now());

}  // namespace bitlaw
