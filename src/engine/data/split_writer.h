// The shards of one split of a data set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/hash.h"
#include "data/dataset.h"
#include "data/shards.h"

namespace bitlaw {

// Writes NAME_000000.bin and so on into a directory, each begun when the one before is full.
class SplitWriter {
 public:
  SplitWriter(std::filesystem::path directory, std::string name, int64_t shard_tokens);

  // `bytes`: of its text, UTF-8.
  void add_document(std::span<const Token> tokens, int64_t bytes);
  SplitInfo finish();

 private:
  void close();

  std::filesystem::path directory_;
  std::string name_;
  int64_t shard_tokens_;
  SplitInfo info_;
  Hasher hasher_;
  std::unique_ptr<ShardWriter> shard_;
};

}  // namespace bitlaw
