#include "table/missing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "table/table.h"

namespace bitlaw {
namespace {

TEST(Missing, WordsForNothingAreEmptyFieldsOfColumnsThatMayBeEmpty) {
  for (const char* word :
       {"NA", "NaN", "nan", "None", "null", "NULL", "-", "--", "n/a", "#N/A", "?", "", "<NA>"}) {
    const Table table =
        read_table(fmt::format("N,D,P_w,loss,N_total,run,epochs,precision,training_group\n"
                               "1e8,2e9,4,3,2e8,a,1,,32\n1e8,2e9,{0},2.9,{0},{0},{0},{0},{0}\n",
                               word),
                   "t");
    ASSERT_EQ(table.runs.size(), 2u) << word;
    EXPECT_EQ(table.runs[1].bits_weights, 16) << word;
    EXPECT_EQ(table.runs[1].params_total, 0) << word;
    EXPECT_EQ(table.runs[1].cluster, "") << word;
  }
}

TEST(Missing, ALossThatIsNotThereIsSaidWithAConditionThatKeepsTheRest) {
  for (const auto& [word, problem] : {std::pair("NA", "is not a number"),
                                      {"None", "is not a number"},
                                      {"NaN", "is not finite"}}) {
    try {
      read_table(fmt::format("N,D,P_w,loss\n1e8,2e9,NA,3\n1e8,2e9,4,{}\n", word), "t");
      FAIL() << word;
    } catch (const Error& error) {
      EXPECT_EQ(error.what(),
                fmt::format("t: line 3, column loss: {} {}; --where 'loss!={}' leaves "
                            "such rows out",
                            word, problem, word));
    }
  }
}

TEST(Missing, TheErrorsOfAllRowsAreSaidAtOnce) {
  std::string text = "N,D,P_w,loss\n";
  for (int i = 0; i < 20; ++i) text += "1e8,2e9,x,3\n";
  text += "1e8,2e9,4,-3\nmany,2e9,4,3\n";
  try {
    read_table(text, "t");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "t: line 2, column P_w: x is not a number (and in 19 more rows); line 22, column "
        "loss: -3 must be positive; --where 'loss>0' leaves such rows out; line 23, column "
        "N: many is not a number");
  }
}

}  // namespace
}  // namespace bitlaw
