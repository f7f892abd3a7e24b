// A cache of the tokens of pieces, because text repeats its words. A cache is used by one thread at
// a time; encoders borrow them from a CachePool. Id is the type of a token.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bitlaw {

template <class Id>
class PieceCache {
 public:
  // Appends the tokens of one piece; encode_new(piece, tokens) appends those of a new one.
  template <class EncodeNew>
  void encode(std::string_view piece, std::vector<Id>& tokens, const EncodeNew& encode_new) {
    if (piece.size() > kLongestPiece) return encode_new(piece, tokens);
    if (const auto found = known_.find(piece); found != known_.end()) {
      const Id* begin = tokens_.data() + found->second.begin;
      tokens.insert(tokens.end(), begin, begin + found->second.count);
      return;
    }
    const size_t before = tokens.size();
    encode_new(piece, tokens);
    if (known_.size() == kMostPieces) {
      known_.clear();
      keys_.clear();
      tokens_.clear();
    }
    known_.emplace(keys_.emplace_back(piece), Range{tokens_.size(), tokens.size() - before});
    tokens_.insert(tokens_.end(), tokens.begin() + static_cast<int64_t>(before), tokens.end());
  }

 private:
  static constexpr size_t kLongestPiece = 64;  // bytes; longer ones rarely recur
  static constexpr size_t kMostPieces = 1 << 18;

  struct Range {
    size_t begin, count;  // in tokens_
  };
  std::unordered_map<std::string_view, Range> known_;
  std::deque<std::string> keys_;  // what known_ points into
  std::vector<Id> tokens_;
};

template <class Id>
class CachePool {
 public:
  std::unique_ptr<PieceCache<Id>> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<PieceCache<Id>>();
    auto cache = std::move(free_.back());
    free_.pop_back();
    return cache;
  }
  void give_back(std::unique_ptr<PieceCache<Id>> cache) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(cache));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<PieceCache<Id>>> free_;
};

}  // namespace bitlaw
