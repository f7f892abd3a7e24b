#include "tokenizer/pair_merges.h"

#include <algorithm>

#include "base/error.h"

namespace bitlaw {

void PairMerges::merge(std::vector<int32_t>& symbols, size_t begin, Workspace& workspace) const {
  const size_t count = symbols.size() - begin;
  BITLAW_CHECK(count < size_t{1} << 31);
  if (count < 2) return;
  using Candidate = Workspace::Candidate;
  auto& list = workspace.symbols;
  auto& heap = workspace.heap;
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  list.clear();
  heap.clear();
  for (size_t i = 0; i < count; ++i) {
    const auto at = static_cast<int32_t>(i);
    list.push_back({symbols[begin + i], at - 1, i + 1 < count ? at + 1 : -1});
    if (i + 1 == count) break;
    if (const Merge* pair = find(symbols[begin + i], symbols[begin + i + 1]))
      heap.push_back({pair->rank, at, pair->merged});
  }
  std::make_heap(heap.begin(), heap.end(), later);
  const auto consider = [&](int32_t position) {
    if (position < 0 || list[position].next < 0) return;
    if (const Merge* pair = find(list[position].id, list[list[position].next].id)) {
      heap.push_back({pair->rank, position, pair->merged});
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };

  while (!heap.empty()) {
    const Candidate best = heap.front();
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
    Workspace::Symbol& left = list[best.position];
    if (left.id < 0 || left.next < 0) continue;
    Workspace::Symbol& right = list[left.next];
    const Merge* pair = find(left.id, right.id);
    if (pair == nullptr || pair->merged != best.merged) continue;
    left.id = best.merged;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) list[left.next].previous = best.position;
    consider(left.previous);
    consider(best.position);
  }

  size_t out = begin;
  for (const Workspace::Symbol& symbol : list) {
    if (symbol.id >= 0) symbols[out++] = symbol.id;
  }
  symbols.resize(out);
}

}  // namespace bitlaw
