#include "data/split_writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitlaw {

SplitWriter::SplitWriter(std::filesystem::path directory, std::string name, int64_t shard_tokens)
    : directory_(std::move(directory)), name_(std::move(name)), shard_tokens_(shard_tokens) {}

void SplitWriter::add_document(std::span<const Token> tokens, int64_t bytes) {
  ++info_.documents;
  info_.bytes += bytes;
  info_.tokens += static_cast<int64_t>(tokens.size());
  hasher_.update({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()});
  while (!tokens.empty()) {
    if (shard_ == nullptr) {
      info_.shards.push_back(fmt::format("{}_{:06}.bin", name_, info_.shards.size()));
      shard_ = std::make_unique<ShardWriter>(directory_ / info_.shards.back());
    }
    const size_t n = std::min(tokens.size(), static_cast<size_t>(shard_tokens_ - shard_->tokens()));
    shard_->write(tokens.first(n));
    tokens = tokens.subspan(n);
    if (shard_->tokens() == shard_tokens_) close();
  }
}

SplitInfo SplitWriter::finish() {
  if (shard_ != nullptr) close();
  info_.hash = hasher_.hex();
  return info_;
}

void SplitWriter::close() {
  shard_->finish();
  shard_.reset();
}

}  // namespace bitlaw
