#include "tokenizer/piece_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace bitlaw {
namespace {

TEST(PieceCache, GivesTheTokensOfEveryPieceHoweverManyThereAre) {
  PieceCache<int> cache;
  int calls = 0;
  const auto length_and_ends = [&](std::string_view piece, std::vector<int>& tokens) {
    ++calls;
    tokens.push_back(static_cast<int>(piece.size()));
    for (const char c : piece.substr(0, 2)) tokens.push_back(c);
  };
  const auto check = [&](const std::string& piece) {
    std::vector<int> tokens{-1}, wanted{-1};
    cache.encode(piece, tokens, length_and_ends);
    length_and_ends(piece, wanted);
    ASSERT_EQ(tokens, wanted) << piece;
  };
  for (int round = 0; round < 2; ++round) {  // more pieces than are kept
    for (int i = 0; i < 100'000; ++i) check(std::to_string(i * 7919 % 100'000));
  }
  check("");
  check(std::string(1000, 'x'));
}

TEST(PieceCache, EncodesAPieceOnce) {
  PieceCache<int> cache;
  int calls = 0;
  std::vector<int> tokens;
  for (int i = 0; i < 5; ++i)
    cache.encode("word", tokens, [&](auto, std::vector<int>& out) { out.push_back(++calls); });
  EXPECT_EQ(tokens, (std::vector<int>{1, 1, 1, 1, 1}));
}

}  // namespace
}  // namespace bitlaw
