#include "fit/table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace bitlaw {
namespace {

std::string error_of(const std::string& csv, const std::string& columns = "") {
  try {
    read_table(csv, "runs.csv", parse_columns(columns));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Table, ReadsColumnsInAnyOrder) {
  const Table table = read_table(
      "note,loss,run,D,P_w,N,N_total,P_post,delta,standard_error,status\n"
      "\"a, \"\"quoted\"\" note\",3.25,r1,2e9,4,1e8,1.1e8,,,,finished\n"
      "\"two\nlines\", 3.5 ,r1,2e9,,1e8,,3,0.25,0.001,\r\n"
      "\n"
      "x,,r2,2e9,16,1e8,,,,,diverged",
      "runs.csv");
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.diverged, 1);
  const Observation& run = table.runs[0];
  EXPECT_EQ(run.params, 1e8);
  EXPECT_EQ(run.params_total, 1.1e8);
  EXPECT_EQ(run.tokens, 2e9);
  EXPECT_EQ(run.loss_nats, 3.25);
  EXPECT_EQ(run.bits_weights, 4);
  EXPECT_EQ(run.bits_activations, kUnquantizedBits);
  EXPECT_EQ(run.cluster, "r1");
  EXPECT_FALSE(run.is_post_training());
  EXPECT_TRUE(std::isnan(run.delta_nats));
  const Observation& cell = table.runs[1];
  EXPECT_TRUE(cell.is_post_training());
  EXPECT_EQ(cell.bits_weights, kUnquantizedBits);
  EXPECT_EQ(cell.delta_nats, 0.25);
  EXPECT_EQ(cell.delta_standard_error, 0.001);
}

TEST(Table, AMethodIsNamedWithItsGroup) {
  const Table table = read_table(
      "N,D,loss,P_post,delta,method,group\n1e8,2e9,3,16,,none,\n1e8,2e9,,4,.1,rtn,0\n"
      "1e8,2e9,,4,.1,gptq,128\n",
      "runs.csv");
  EXPECT_EQ(table.runs.at(0).method, "");
  EXPECT_EQ(table.runs.at(1).method, "rtn");
  EXPECT_EQ(table.runs.at(2).method, "gptq-g128");
}

TEST(Table, ColumnsMayBeNamedByTheUser) {
  const Table table = read_table("params,tokens,val_loss\n1e8,2e9,3\n", "runs.csv",
                                 parse_columns("N=params, D=tokens,loss=val_loss"));
  EXPECT_EQ(table.runs.at(0).loss_nats, 3);
}

TEST(Table, AByteOrderMarkIsNotPartOfTheFirstName) {
  EXPECT_EQ(read_table("\xEF\xBB\xBFN,D,loss\n1e8,2e9,3\n", "runs.csv").runs.size(), 1u);
}

struct Mistake {
  const char *csv, *columns, *expected;
};

TEST(Table, EveryMistakeIsOneClearSentence) {
  for (const Mistake& mistake : {
           Mistake{"", "", "is empty"},
           Mistake{"\n\n", "", "is empty"},
           Mistake{"N,D,loss\n", "", "no row to fit"},
           Mistake{"N,D,loss,status\n1,1,1,diverged\n", "", "every run diverged"},
           Mistake{"N,D,los\n1,2,3\n", "",
                   "no column loss (loss in nats per token; is it los?); the file has N, D, los"},
           Mistake{"N,D,loss\n1,2,3\n", "loss=val", "no column val"},
           Mistake{"N,D,loss\n1,2,3\n", "P_w=wbits", "no column wbits"},
           Mistake{"N,D,D,loss\n1,2,2,3\n", "", "column D appears twice"},
           Mistake{"N,D,loss\n1e8,2e9\n", "", "line 2 has 2 fields, the header has 3"},
           Mistake{"N,D,loss\n1e8,2e9,3,4\n", "", "line 2 has 4 fields"},
           Mistake{"N,D,loss\n1e8,2e9,3\n1e8,2e9,three\n", "",
                   "line 3, column loss: three is not a number"},
           Mistake{"N,D,loss\n1e8,2e9,3x\n", "", "3x is not a number"},
           Mistake{"N,D,loss\n1e8,2e9,nan\n", "", "line 2, column loss: nan is not finite"},
           Mistake{"N,D,loss\n1e8,inf,3\n", "", "column D: inf is not finite"},
           Mistake{"N,D,loss\n1e8,2e9,-3\n", "", "column loss: -3 must be positive"},
           Mistake{"N,D,loss\n1e8,0,3\n", "", "column D: 0 must be positive"},
           Mistake{"N,D,loss\n1e8,2e9,\n", "", "column loss: an empty field"},
           Mistake{"N,D,loss,P_w\n1e8,2e9,3,-4\n", "", "column P_w: -4 is not a number of bits"},
           Mistake{"N,D,loss,P_post\n1e8,2e9,3,4\n", "", "column delta: an empty field"},
           Mistake{"N,D,loss\n1e8,2e9,\"3\n", "", "never ends"},
           Mistake{"N,D,loss\n1,2,3\n", "loss", "is not NAME=COLUMN"},
           Mistake{"N,D,loss\n1,2,3\n", "delt=x", "did you mean delta?"},
       }) {
    const std::string sentence = error_of(mistake.csv, mistake.columns);
    EXPECT_NE(sentence.find(mistake.expected), std::string::npos)
        << mistake.csv << " gave: " << sentence;
  }
}

TEST(Table, OddUnitsAreNoted) {
  EXPECT_TRUE(read_table("N,D,loss\n1e8,2e9,3\n", "runs.csv").notes.empty());
  EXPECT_EQ(read_table("N,D,loss\n1e8,2,3\n", "runs.csv").notes.size(), 1u);
  EXPECT_EQ(read_table("N,D,loss\n100,2,45\n", "runs.csv").notes.size(), 3u);
}

TEST(Table, RowsWithoutALossThatAreNotFinishedAreLeftOut) {
  const Table table =
      read_table("N,D,loss,status\n1e8,2e9,3,finished\n1e8,2e9,,running\n", "runs.csv");
  EXPECT_EQ(table.runs.size(), 1u);
  EXPECT_EQ(table.unfinished, 1);
}

}  // namespace
}  // namespace bitlaw
