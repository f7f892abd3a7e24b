// Byte-pair encoding of a sequence of symbols: as long as neighbours form a known pair, the pair
// with the lowest rank (leftmost of equals) becomes one symbol.
//
// A heap of candidates makes this O(n log n) for n symbols. Each candidate is checked when it is
// popped: it is still valid if the symbols now at its position would merge into the same one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace bitlaw {

class PairMerges {
 public:
  void reserve(size_t pairs) { merges_.reserve(pairs); }
  // If a pair is added again, the later rank counts.
  void add(int32_t left, int32_t right, int32_t rank, int32_t merged) {
    merges_[key(left, right)] = {rank, merged};
  }

  // Scratch memory of merge(); reuse it to allocate only once.
  struct Workspace {
    struct Symbol {
      int32_t id;  // -1: merged into the one before
      int32_t previous, next;
    };
    struct Candidate {
      int32_t rank, position, merged;
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
  };

  // Merges symbols[begin..] in place; at most 2^31 symbols.
  void merge(std::vector<int32_t>& symbols, size_t begin, Workspace& workspace) const;

 private:
  struct Merge {
    int32_t rank, merged;
  };
  struct Hash {  // Fibonacci hashing of both ids
    size_t operator()(uint64_t key) const {
      key *= 0x9E3779B97F4A7C15;
      return key ^ key >> 32;
    }
  };
  static uint64_t key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  const Merge* find(int32_t left, int32_t right) const {
    const auto found = merges_.find(key(left, right));
    return found == merges_.end() ? nullptr : &found->second;
  }

  std::unordered_map<uint64_t, Merge, Hash> merges_;
};

}  // namespace bitlaw
