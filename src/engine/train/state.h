// Everything a run needs to resume, in one file:
//
//   8 bytes   length of the header, little-endian
//   header    JSON: format, version, run, engine, library, engines, steps, elements, progress
//   payload   weights, first moments, second moments: `elements` little-endian floats each
//   32 bytes  hash of all bytes before (base/hash.h), in hexadecimal digits
//
// The data's order and the learning rate are pure functions of the step, so nothing else is saved.
// A truncated or changed file is refused.
//
// Version 1 had a hash of the payload alone, as `hash` of the header, and no engine. Such files are
// still read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "tensor/tensor.h"

namespace bitlaw {

struct StateHeader {
  std::string run;  // its name
  // What computed the last steps (ops/engine.h), and all that computed any, in order. Empty in files
  // of version 1.
  std::string engine, library;
  std::vector<std::string> engines;
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

// The header alone, before the content is checked. Empty if there is no such file. Error for a file
// that is not a state.
std::optional<StateHeader> read_state_header(const std::filesystem::path& path);

}  // namespace bitlaw
