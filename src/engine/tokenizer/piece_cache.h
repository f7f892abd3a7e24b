// The tokens of pieces seen before: text repeats its words. One cache is used by one thread at a
// time; encoders borrow them from a CachePool.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenizer/hf_model.h"

namespace bitlaw {

class PieceCache {
 public:
  // Appends the tokens of one piece, as HfBpe::encode does.
  void encode(const HfBpe& model, std::string_view piece, std::vector<int32_t>& tokens);

 private:
  struct Range {
    size_t begin, count;  // in tokens_
  };
  std::unordered_map<std::string_view, Range> known_;
  std::deque<std::string> keys_;  // what known_ points into
  std::vector<int32_t> tokens_;
  PairMerges::Workspace workspace_;
};

class CachePool {
 public:
  std::unique_ptr<PieceCache> take();
  void give_back(std::unique_ptr<PieceCache> cache);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<PieceCache>> free_;
};

}  // namespace bitlaw
