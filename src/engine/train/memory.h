// What a run will take, before it runs: memory, arithmetic, and time at a given rate.
//
// Memory is the peak of the resident set, as Linux reports it (VmHWM), in parts that follow from
// the shape: N parameters with embeddings, lanes, threads, and the tokens of the data set, which
// are mapped and read as a whole when their hash is checked.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "train/config.h"

namespace bitlaw {

struct MemoryPlan {        // bytes
  double parameters = 0;   // FP32 masters
  double moments = 0;      // two, FP32
  double gradients = 0;    // FP32, one a lane
  double weights = 0;      // rounded and packed, for both directions
  double activations = 0;  // of the sequences in flight, one a thread
  double workspace = 0;    // inside ops, a thread
  double data = 0;         // mapped tokens and the validation windows
  double runtime = 0;      // program, libraries, generated code

  double total_bytes() const {
    return parameters + moments + gradients + weights + activations + workspace + data + runtime;
  }
};

MemoryPlan plan_memory(const ResolvedConfig& resolved, const DatasetInfo& data, int threads);

struct RunPlan {
  std::string name;
  int64_t steps, tokens, parameters, parameters_with_embeddings;
  double peak_learning_rate;
  double epochs;           // over the training tokens
  double flops_per_token;  // exact: attention and vocabulary included
  double flops;            // of the training; validation adds a third of a token's work per token
  double seconds;          // at the given rate; 0 without one
  MemoryPlan memory;
};

// `flops_per_second`: what the machine reaches on this shape; 0: not known.
RunPlan plan_run(const ResolvedConfig& resolved, const DatasetInfo& data, int threads,
                 double flops_per_second = 0);
Json to_json(const RunPlan& plan);

int64_t peak_memory_bytes();  // of this process: VmHWM
void reset_peak_memory();     // begins to measure the peak anew, where the kernel allows it

}  // namespace bitlaw
