// A cell of somebody else's checkpoint, written as a checkpoint again: what the grid measured, for
// other programs to use. It is written layer by layer while a pass solves the cell
// (quantize/checkpoint_pass.h), into a directory beside its place.
#pragma once

#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include "hf/forward.h"
#include "hf/writer.h"

namespace bitlaw {

class CellWriter {
 public:
  // A copy of the checkpoint `source` at `target`, which does not exist yet, with the same files,
  // names and shards. Embedding, norms, biases and head keep their type; the matrices of the layers
  // are stored as `dtype`: F32 is exactly the cell, BF16 half the bytes, and exact where codes and
  // scales have few enough bits. Errors as in hf/writer.h.
  CellWriter(const std::filesystem::path& source, const std::filesystem::path& target,
             const std::string& dtype);

  // The rounded matrices of the next layer. An error, such as a full disk, waits for commit(), so
  // that the pass that measures the cell goes on.
  void add(const hf::Layer& rounded);

  // After every layer: gives the directory its name. On an error nothing is left.
  void commit();

 private:
  std::optional<hf::CheckpointWriter> writer_;  // none after an error
  std::exception_ptr error_;
};

}  // namespace bitlaw
