// How fast a machine trains the runs of a study: measured in a moment (--calibrate), kept beside the
// runs, or told (--rate).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "sweep/launcher.h"
#include "sweep/timing.h"

namespace bitlaw {

// Hears a sentence for people, now and then.
using SweepNote = std::function<void(const std::string& sentence)>;

struct MeasuredSpeed {
  std::string kind;  // speed_key()
  double flops_per_token = 0, tokens_per_second = 0;

  template <class V>
  void visit(V& v) {
    v("kind", kind);
    v("flops_per_token", flops_per_token);
    v("tokens_per_second", tokens_per_second);
  }
};

// Of one process on one thread, while as many as `processes` ran.
struct MachineSpeeds {
  std::string processor;
  int cores = 0, processes = 0;
  std::vector<MeasuredSpeed> kinds;

  template <class V>
  void visit(V& v) {
    v("processor", processor);
    v("cores", cores);
    v("processes", processes);
    v("kinds", kinds);
  }
  std::string name() const;  // "AMD EPYC 9B45, 2 cores"
};

// Trains a run of each kind for a moment, as many at a time as the study will run, in the order of
// `examples`. Kinds that were not measured before the worker was stopped are left out.
std::vector<MeasuredSpeed> measure_speeds(const std::vector<const PlannedRun*>& examples,
                                          LaunchOptions options);
// A run of each kind of the plan, in its order.
std::vector<const PlannedRun*> kinds_of(const SweepPlan& plan);

// Measures this machine for at most 20 seconds and keeps that in RUNS/speeds.json; with many kinds of
// runs, a selection of all sizes. Error if a single step takes so long. Empty if it was stopped.
std::optional<MachineSpeeds> calibrate(const SweepPlan& plan, const LaunchOptions& options);

// What was kept of this machine, with that many processes if possible. Error if the file is damaged.
std::optional<MachineSpeeds> kept_speeds(const std::filesystem::path& runs, int processes);

// Of every kind of the plan. A kind that was not measured does as many FLOP a second as the most
// similar one that was: of the same precision if there is one, with about as many FLOP a token.
Rates rates_from(const MachineSpeeds& speeds, const SweepPlan& plan);

// If one process trains so many tokens a second of the run with the fewest FLOP a token, and as many
// FLOP a second of every other.
Rates rates_at(double tokens_per_second, const SweepPlan& plan);

}  // namespace bitlaw
