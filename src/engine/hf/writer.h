// A copy of a checkpoint in which some weights are others, written tensor by tensor, so that it may be
// larger than memory.
//
//   TARGET.partialPID/  is filled: shards of the same names with the same tensors, the replaced ones in
//                       a type of their own; the index; config.json with that type; tokenizer files
//   TARGET/             is its name once everything is there and flushed
//
// What fails on the way leaves nothing behind.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "hf/weights.h"

namespace bitlaw::hf {

class CheckpointWriter {
 public:
  // `replaced`: names of the tensors that write() will give, stored as `dtype`, "F32" or "BF16".
  // Copies the others at once. Error where `target` exists or cannot be written.
  CheckpointWriter(const std::filesystem::path& source, const Weights& weights,
                   const std::filesystem::path& target, std::set<std::string> replaced,
                   const std::string& dtype);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // All `count` numbers of a replaced tensor, rounded to the nearest of BF16 where that is the type.
  void write(const std::string& name, const float* values, int64_t count);

  // Every replaced tensor has been written. Gives the directory its name.
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
  std::set<std::string> replaced_;  // and not written yet
  const std::string dtype_;
  std::map<std::string, Place> places_;          // of the replaced tensors
  std::map<std::string, std::string> shard_of_;  // of all tensors
  size_t total_bytes_ = 0;                       // of all tensors
  bool all_bf16_ = true;                         // every tensor is
  bool committed_ = false;
};

}  // namespace bitlaw::hf
