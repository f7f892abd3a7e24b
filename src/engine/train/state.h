// What a run needs to go on where it stopped, in one file:
//
//   8 bytes   length of the header, little-endian
//   header    JSON: format, version, run, steps, elements, progress, hash
//   payload   weights, first moments, second moments: `elements` little-endian floats each
//
// The data's order and the learning rate are pure functions of the step, so nothing else is kept.
// `hash` is that of the payload: a file cut short or changed is refused.
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
  Json progress;      // what the loop counts: losses, seconds, divergence
};

// Writes atomically: on any failure an older state stays as it was. The three are [elements] F32.
void save_state(const std::filesystem::path& path, const StateHeader& header, const Tensor& weights,
                const Tensor& first_moment, const Tensor& second_moment);

// Fills the three tensors. nullopt where there is no such file; Error for a file that is not the
// whole state of `run` with as many elements.
std::optional<StateHeader> load_state(const std::filesystem::path& path, const std::string& run,
                                      const Tensor& weights, const Tensor& first_moment,
                                      const Tensor& second_moment);

}  // namespace bitlaw
