#include "tokenizer/pair_merges.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace bitlaw {
namespace {

struct Rule {
  int32_t rank, merged;
};
using Rules = std::map<std::pair<int32_t, int32_t>, Rule>;

// The definition: the lowest rank among all neighbours, leftmost of equals, until there is none.
std::vector<int32_t> merged_by_definition(std::vector<int32_t> symbols, const Rules& rules) {
  for (;;) {
    size_t best = symbols.size();
    Rule rule{INT32_MAX, 0};
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = rules.find({symbols[i], symbols[i + 1]});
      if (found == rules.end() || found->second.rank >= rule.rank) continue;
      best = i;
      rule = found->second;
    }
    if (best == symbols.size()) return symbols;
    symbols[best] = rule.merged;
    symbols.erase(symbols.begin() + static_cast<int64_t>(best) + 1);
  }
}

// Four letters and up to forty rules, each making a new symbol from older ones.
TEST(PairMerges, IsTheDefinition) {
  PairMerges::Workspace workspace;
  for (uint64_t draw = 0; draw < 500; ++draw) {
    uint64_t next = 0;
    const auto below = [&](uint64_t n) { return random_below(7, draw, next++, n); };
    PairMerges merges;
    Rules rules;
    int32_t symbols = 4;
    for (int32_t rank = 0; rank < 40; ++rank) {
      const auto left = static_cast<int32_t>(below(static_cast<uint64_t>(symbols)));
      const auto right = static_cast<int32_t>(below(static_cast<uint64_t>(symbols)));
      if (!rules.emplace(std::pair{left, right}, Rule{rank, symbols}).second) continue;
      merges.add(left, right, rank, symbols);
      ++symbols;
    }
    std::vector<int32_t> text{-5};  // what precedes `begin` is not changed
    for (uint64_t length = below(60); length > 0; --length)
      text.push_back(static_cast<int32_t>(below(4)));
    auto expected = merged_by_definition({text.begin() + 1, text.end()}, rules);
    expected.insert(expected.begin(), -5);
    merges.merge(text, 1, workspace);
    EXPECT_EQ(text, expected);
  }
}

TEST(PairMerges, ALaterRuleOfAPairReplacesTheEarlier) {
  PairMerges merges;
  merges.add(0, 1, 0, 2);
  merges.add(1, 0, 1, 3);
  merges.add(0, 1, 2, 2);
  std::vector<int32_t> text{0, 1, 0};
  PairMerges::Workspace workspace;
  merges.merge(text, 0, workspace);
  EXPECT_EQ(text, (std::vector<int32_t>{0, 3}));
}

}  // namespace
}  // namespace bitlaw
