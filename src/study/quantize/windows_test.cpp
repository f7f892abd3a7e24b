#include "quantize/windows.h"

#include <gtest/gtest.h>

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

  const TokenWindows one_document = evaluation_windows(text, 4, 8, 0);
  EXPECT_EQ(one_document.size(), 2);
  EXPECT_EQ(one_document.clustered_by, "window");
  EXPECT_NE(one_document.hash(), all.hash());
  EXPECT_THROW(evaluation_windows(counting(4), 4, 0, 0), Error);
}

}  // namespace
}  // namespace bitlaw
