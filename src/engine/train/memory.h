// Prediction of what a run needs: memory, arithmetic, and time at a given rate.
//
// Memory is the peak resident set, as Linux reports it (VmHWM), as a sum of parts that follow from
// the shape: parameters including embeddings, lanes, threads, and the tokens of the data set, which
// are mapped and read completely when their hash is checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "train/config.h"

namespace bitlaw {

struct MemoryPlan {        // bytes
  double parameters = 0;   // FP32 masters
  double moments = 0;      // two, FP32
  double gradients = 0;    // FP32, one per lane
  double weights = 0;      // rounded and packed, for both directions
  double activations = 0;  // of one sequence per thread, or of a batch that shares scales
  double workspace = 0;    // inside ops, per thread
  double data = 0;         // mapped tokens and the validation windows
  double runtime = 0;      // program, libraries, generated code

  double total_bytes() const {
    return parameters + moments + gradients + weights + activations + workspace + data + runtime;
  }
};

// Error if the parameters, their moments and their gradients alone need more than
// `available_bytes`.
void require_model_fits(const ResolvedConfig& resolved, double available_bytes);

// Measured on models of one and two layers; Error if even those do not fit into this machine.
MemoryPlan plan_memory(const ResolvedConfig& resolved, const DatasetInfo& data, int threads);

// Error if a run with scales per batch needs more than `available_bytes`: it keeps the activations of
// a whole batch in memory.
void require_batch_fits(const ResolvedConfig& resolved, const MemoryPlan& plan,
                        double available_bytes);
double machine_memory_bytes();

struct RunPlan {
  std::string name;
  std::string recipe;  // with what a named one resolves to
  int64_t steps, tokens, parameters, parameters_with_embeddings;
  double peak_learning_rate;
  double epochs;           // over the training tokens
  double flops_per_token;  // exact, including attention and vocabulary
  double flops;            // of training; a validation token costs a third of a training token
  double seconds;          // at the given rate; 0 without one
  MemoryPlan memory;
  std::vector<std::string> notes;  // what to know before it starts: text that repeats
};

// `flops_per_second` is the machine's rate on this shape; 0: not known.
RunPlan plan_run(const ResolvedConfig& resolved, const DatasetInfo& data, int threads,
                 double flops_per_second = 0);
Json to_json(const RunPlan& plan);

int64_t peak_memory_bytes();  // of this process: VmHWM
void reset_peak_memory();     // restarts the measurement of the peak, if the kernel allows it

}  // namespace bitlaw
