// Writes a cell of a third-party checkpoint as a checkpoint again: the weights that were measured,
// for use in other programs. They are written layer by layer while a pass solves the cell
// (quantize/checkpoint_pass.h), into a temporary directory.
#pragma once

#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "hf/forward.h"
#include "hf/writer.h"

namespace bitlaw {

class CellWriter {
 public:
  // A copy of the checkpoint `source` at `target`, which must not exist, with the same files, names
  // and shards. Embedding, norms, biases and head keep their type; the matrices of the layers are
  // stored as `dtype`. F32 is exactly the cell; BF16 takes half the bytes, and is exact if codes
  // and scales have few enough bits. Errors as in hf/writer.h.
  CellWriter(const std::filesystem::path& source, const std::filesystem::path& target,
             const std::string& dtype);

  // Adds the rounded matrices of the next layer. An error, such as a full disk, is thrown by
  // commit(), so that the pass that measures the cell continues.
  void add(const hf::Layer& rounded);

  // Renames the directory to `target`; call it after the last layer. On an error nothing is left.
  void commit();

 private:
  std::optional<hf::CheckpointWriter> writer_;       // none after an error
  std::map<std::string, std::string> stored_names_;  // of the matrices, by their layout's names
  std::exception_ptr error_;
};

}  // namespace bitlaw
