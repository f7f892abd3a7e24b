// What a study will take, said before it starts (`bitlaw sweep --dry-run`): cells, training FLOP,
// memory, and with known speeds time and cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_struct.h"
#include "sweep/launcher.h"
#include "sweep/timing.h"

namespace bitlaw {

// What the cells differ in.
struct Variation {
  std::string key;                  // as in the study file: a key, or a list of variants
  std::vector<std::string> values;  // each once, in the order of the study

  template <class V>
  void visit(V& v) {
    v("key", key);
    v("values", values);
  }
};

// NaN: not known. "Left" is what has not ended yet, and not begun as far as its cost is concerned.
struct Forecast {
  int64_t cells = 0, cells_left = 0, cells_in_tables = 0;
  std::vector<Variation> varies;

  // Of training. `flops_alone` if every run trained by itself, `flops` with what trunks save; both
  // without the cells in tables.
  double flops_alone = 0, flops = 0, flops_left = 0;
  int64_t trunks = 0, branches = 0;

  // At the peak of the largest run that is left (of all runs if none is), and of as many at a time.
  double run_memory_bytes = kNoNumber, memory_bytes = kNoNumber;
  std::string largest_run;  // its label
  int processes = 1;

  // Training, validation and quantization.
  std::string speeds;  // where they are from; "" if they are not known
  double core_hours = kNoNumber, core_hours_left = kNoNumber, seconds_left = kNoNumber;
  double price_per_core_hour = kNoNumber, cost = kNoNumber, cost_left = kNoNumber;

  template <class V>
  void visit(V& v) {
    v("cells", cells);
    v("cells_left", cells_left);
    v("cells_in_tables", cells_in_tables);
    v("varies", varies);
    v("flops_alone", flops_alone);
    v("flops", flops);
    v("flops_left", flops_left);
    v("trunks", trunks);
    v("branches", branches);
    v("run_memory_bytes", run_memory_bytes);
    v("memory_bytes", memory_bytes);
    v("largest_run", largest_run);
    v("processes", processes);
    v("speeds", speeds);
    v("core_hours", core_hours);
    v("core_hours_left", core_hours_left);
    v("seconds_left", seconds_left);
    v("price_per_core_hour", price_per_core_hour);
    v("cost", cost);
    v("cost_left", cost_left);
  }
};

struct ForecastOptions {
  int processes = 1;
  Rates rates = {};                // empty: not known
  std::string speeds = "";         // where they are from
  double price_per_core_hour = 0;  // 0: not known
};

// `outcomes` of make_jobs(plan): which are done.
Forecast forecast(const SweepPlan& plan, const std::vector<JobOutcome>& outcomes,
                  const ForecastOptions& options);

// Lines for people.
std::vector<std::string> describe(const Forecast& forecast);

}  // namespace bitlaw
