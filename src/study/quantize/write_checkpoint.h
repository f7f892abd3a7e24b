// Somebody else's checkpoint with rounded weights, written as a checkpoint again: what a cell of the
// grid measured, for other programs to use.
#pragma once

#include <filesystem>
#include <string>

#include "quantize/checkpoint_pass.h"

namespace bitlaw {

struct WriteRequest {
  std::filesystem::path source, target;  // directories; `target` does not exist yet
  MatrixCell cell;
  int64_t sequence = 0;  // T of the calibration
  PassText calibration;  // empty where the method needs none
  std::string dtype =
      "F32";  // of the rounded matrices. F32: exactly the cell; BF16: half the bytes,
              // exact where codes and scales have few enough bits
};

// One pass over the layers, each rounded and written before the next is read. The target has the same
// files, names and shards; embedding, norms, biases and head keep their type. Errors as in
// hf/writer.h and run_checkpoint_pass(); on any, nothing is left.
void write_quantized_checkpoint(const WriteRequest& request, ThreadPool& pool,
                                const PassProgress& progress = {});

}  // namespace bitlaw
