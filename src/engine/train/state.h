// Everything a run needs to resume, in one file:
//
//   8 bytes   length of the header, little-endian
//   header    JSON: format, version, run, steps, elements, progress, hash
//   payload   weights, first moments, second moments: `elements` little-endian floats each
//
// The data's order and the learning rate are pure functions of the step, so nothing else is saved.
// `hash` is that of the payload: a truncated or changed file is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"
#include "tensor/tensor.h"

namespace bitlaw {

struct StateHeader {
  std::string run;    // its name
  int64_t steps = 0;  // done
  Json progress;      // of the training loop: losses, seconds, divergence
};

// Atomic: on any failure an older state is kept. The three tensors are [elements] F32.
void save_state(const std::filesystem::path& path, const StateHeader& header, const Tensor& weights,
                const Tensor& first_moment, const Tensor& second_moment);

// Fills the three tensors. Empty if there is no such file. Error for a file that is not the
// complete state of `run` with the same number of elements.
std::optional<StateHeader> load_state(const std::filesystem::path& path, const std::string& run,
                                      const Tensor& weights, const Tensor& first_moment,
                                      const Tensor& second_moment);

}  // namespace bitlaw
