#include "quantize/windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace bitlaw {
namespace {

TokenSet counting(int64_t size) {
  std::vector<Token> tokens(static_cast<size_t>(size));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<Token>(i);
  return TokenSet(tokens);
}

TEST(CalibrationWindows, AreDrawnBySeedWithoutRepetition) {
  const TokenSet text = counting(10 * 8 + 1);  // ten windows of 8
  const TokenWindows a = calibration_windows(text, 8, 33, 1);
  EXPECT_EQ(a.size(), 5);  // 33 tokens need five
  EXPECT_EQ(a.targets(), 40);
  std::set<Token> starts;
  for (const auto window : a.spans()) {
    ASSERT_EQ(window.size(), 9u);
    EXPECT_EQ(window[0] % 8, 0);
    for (size_t i = 1; i < window.size(); ++i) EXPECT_EQ(window[i], window[i - 1] + 1);
    EXPECT_TRUE(starts.insert(window[0]).second);
  }
  EXPECT_EQ(calibration_windows(text, 8, 33, 1).hash(), a.hash());
  EXPECT_NE(calibration_windows(text, 8, 33, 2).hash(), a.hash());
  EXPECT_EQ(calibration_windows(text, 8, 1000, 1).size(), 10);  // no more than there are
  EXPECT_THROW(calibration_windows(counting(8), 8, 33, 1), Error);
}

TEST(EvaluationWindows, BelongToTheDocumentTheyBeginIn) {
  // Documents end with token 0; windows of 4 begin at positions 0, 4, 8, 12, 16, 20.
  //                              |0           |4           |8           |12          |16 |20
  const TokenSet text(std::vector<Token>{1, 1, 1, 1, 1, 1, 1, 0, 2, 0, 3, 0, 4,
                                         4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0});
  const TokenWindows all = evaluation_windows(text, 4, 0, 0);
  ASSERT_EQ(all.size(), 6);
  EXPECT_EQ(all.cluster, (std::vector<int64_t>{0, 0, 1, 3, 3, 3}));
  EXPECT_EQ(all.clustered_by, "document");
  std::vector<Token> targets;
  for (const auto window : all.spans())
    targets.insert(targets.end(), window.begin() + 1, window.end());
  for (size_t i = 0; i < targets.size(); ++i)
    EXPECT_EQ(targets[i], text[static_cast<int64_t>(i) + 1]);

  const TokenWindows without = evaluation_windows(text, 4, 0, -1);
  EXPECT_EQ(without.cluster, (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(without.clustered_by, "window");
  EXPECT_EQ(without.hash(), all.hash());  // the same tokens

  const TokenWindows one_document = evaluation_windows(text, 4, 0, 7);
  EXPECT_EQ(one_document.cluster, without.cluster);
  EXPECT_EQ(one_document.clustered_by, "window");
  EXPECT_THROW(evaluation_windows(counting(4), 4, 0, 0), Error);
}

TEST(EvaluationWindows, APartOfThemComesFromTheWholeText) {
  // 500 documents of eight tokens; windows of 4, two a document.
  std::vector<Token> tokens;
  for (Token d = 0; d < 500; ++d) {
    for (int t = 0; t < 7; ++t) tokens.push_back(static_cast<Token>(1 + d));
    tokens.push_back(0);
  }
  tokens.push_back(501);
  const TokenSet text(tokens);
  const TokenWindows all = evaluation_windows(text, 4, 0, 0);
  const TokenWindows some = evaluation_windows(text, 4, 200, 0);
  ASSERT_EQ(all.size(), 1000);
  ASSERT_EQ(some.size(), 50);
  EXPECT_TRUE(std::is_sorted(some.cluster.begin(), some.cluster.end()));
  EXPECT_LT(some.cluster.front(), 100);
  EXPECT_GT(some.cluster.back(), 400);
  for (int64_t i = 0; i < some.size(); ++i)
    EXPECT_EQ(some.spans()[static_cast<size_t>(i)][0], some.cluster[static_cast<size_t>(i)] + 1);
  EXPECT_NE(some.hash(), all.hash());
}

}  // namespace
}  // namespace bitlaw
