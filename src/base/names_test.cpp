#include "base/names.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(Names, TheNearestHasTheFewestEdits) {
  const std::vector<std::string> known{"weights", "activations", "kv", "N", "train.tokens"};
  EXPECT_EQ(nearest_name("wieghts", known), "weights");
  EXPECT_EQ(nearest_name("activation", known), "activations");
  EXPECT_EQ(nearest_name("weights", known), "weights");
  EXPECT_EQ(nearest_name("temperature", known), "");
  EXPECT_EQ(nearest_name("x", {}), "");
  EXPECT_EQ(nearest_name("", known), "");
  EXPECT_EQ(nearest_name("train.token", known), "train.tokens");
}

TEST(Names, CapitalsAreNoEditsButDecideBetweenEquals) {
  EXPECT_EQ(nearest_name("KV", {"kv"}), "kv");
  EXPECT_EQ(nearest_name("n", {"D", "N"}), "N");
  EXPECT_EQ(nearest_name("largest-n", {"largest-N"}), "largest-N");
  EXPECT_EQ(nearest_name("eFf", {"EFF", "eff"}), "eff");
}

TEST(Names, ABeginningIsNearerThanAnotherName) {
  EXPECT_EQ(nearest_name("mxfp6", {"mxfp4", "mxfp6-e2m3", "mxfp6-e2m3-clip"}), "mxfp6-e2m3");
  EXPECT_EQ(nearest_name("largest", {"kfold", "largest-N"}), "largest-N");
  EXPECT_EQ(nearest_name("N", {"N_total"}), "") << "one letter begins too many";
}

TEST(Names, NothingIsNearWhereEveryLetterWouldChange) {
  EXPECT_EQ(nearest_name("x", {"N", "lr"}), "");
  EXPECT_EQ(nearest_name("ab", {"kv"}), "");
  EXPECT_EQ(nearest_name("optimizer.zzz", {"optimizer.lr", "optimizer.beta"}), "");
}

TEST(Names, OneSentenceSaysWhatWasMeantOrWhatThereIs) {
  const std::vector<std::string> laws{"kumar", "quest"};
  EXPECT_EQ(unknown_name("law", "kumer", laws), "unknown law 'kumer'; did you mean 'kumar'?");
  EXPECT_EQ(unknown_name("law", "other", laws), "unknown law 'other'; known: kumar, quest");
  EXPECT_EQ(unknown_name("law", "other", laws, "`bitlaw laws` lists them"),
            "unknown law 'other'; `bitlaw laws` lists them");
}

TEST(Names, OfColumnsAllAreListed) {
  const std::vector<std::string> columns{"N", "D", "set"};
  EXPECT_EQ(unknown_column("sett", columns),
            "unknown column 'sett'; did you mean 'set'? The columns are N, D, set");
  EXPECT_EQ(unknown_column("loss", columns), "unknown column 'loss'; the columns are N, D, set");
}

TEST(Names, TextOfFilesIsShortAndTame) {
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(printable(std::string(1000, 'x')).size(), 60u);
  EXPECT_EQ(printable(std::vector<std::string>(43, "x")).substr(117), "x and 3 more");
}

}  // namespace
}  // namespace bitlaw
