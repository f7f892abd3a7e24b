// Writes a copy of a checkpoint with some weights replaced, tensor by tensor, so that it may be
// larger than memory.
//
//   TARGET.partialPID/  is filled: shards with the same names and tensors, replaced ones in the
//                       given type; the index; config.json with that type; tokenizer files
//   TARGET/             is its final name, once everything is written and flushed
//
// A failure leaves nothing behind.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "hf/weights.h"

namespace bitlaw::hf {

class CheckpointWriter {
 public:
  // `replaced` are the names of the tensors that will be passed to write(), stored as `dtype`,
  // "F32" or "BF16". Copies the other tensors immediately. Error if `target` exists or cannot be
  // written.
  CheckpointWriter(const std::filesystem::path& source, const Weights& weights,
                   const std::filesystem::path& target, std::set<std::string> replaced,
                   const std::string& dtype);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Writes all `count` numbers of a replaced tensor, rounded to nearest if the type is BF16.
  void write(const std::string& name, const float* values, int64_t count);

  // Renames the directory to its final name; every replaced tensor must have been written.
  void commit();

 private:
  struct Place {
    std::string file;
    size_t begin, end;  // bytes from the beginning of the file
  };
  void write_file(const WeightFile& file);
  void write_index();
  void write_config(const std::filesystem::path& source) const;

  const std::filesystem::path target_, partial_;
  std::set<std::string> replaced_;  // not written yet
  const std::string dtype_;
  std::map<std::string, Place> places_;          // of the replaced tensors
  std::map<std::string, std::string> shard_of_;  // of all tensors
  size_t total_bytes_ = 0;                       // of all tensors
  bool all_bf16_ = true;                         // every tensor is
  bool committed_ = false;
};

}  // namespace bitlaw::hf
