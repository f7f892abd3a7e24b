#include "tokenizer/piece_cache.h"

namespace bitlaw {
namespace {

constexpr size_t kLongestPiece = 64;  // bytes; longer ones seldom come twice
constexpr size_t kMostPieces = 1 << 16;

}  // namespace

void PieceCache::encode(const HfBpe& model, std::string_view piece, std::vector<int32_t>& tokens) {
  if (piece.size() > kLongestPiece) return model.encode(piece, tokens, workspace_);
  if (const auto found = known_.find(piece); found != known_.end()) {
    const int32_t* begin = tokens_.data() + found->second.begin;
    tokens.insert(tokens.end(), begin, begin + found->second.count);
    return;
  }
  const size_t before = tokens.size();
  model.encode(piece, tokens, workspace_);
  if (known_.size() == kMostPieces) {
    known_.clear();
    keys_.clear();
    tokens_.clear();
  }
  known_.emplace(keys_.emplace_back(piece), Range{tokens_.size(), tokens.size() - before});
  tokens_.insert(tokens_.end(), tokens.begin() + static_cast<int64_t>(before), tokens.end());
}

std::unique_ptr<PieceCache> CachePool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<PieceCache>();
  auto cache = std::move(free_.back());
  free_.pop_back();
  return cache;
}

void CachePool::give_back(std::unique_ptr<PieceCache> cache) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(cache));
}

}  // namespace bitlaw
