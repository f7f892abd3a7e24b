#include "table/decimal_comma.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "table/csv_table.h"
#include "table/table.h"

namespace bitlaw {
namespace {

TEST(DecimalComma, IsReadWhereSemicolonsSeparate) {
  const Table table = read_table(
      "Parameter;tokens;val_loss;Notiz\n10,0M;2,00E+08;5,326;a,b\n1.000.000,5;1e9;4,1;\n", "t",
      parse_columns("N=Parameter"));
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[0].params, 1e7);
  EXPECT_EQ(table.runs[0].tokens, 2e8);
  EXPECT_EQ(table.runs[0].loss_nats, 5.326);
  EXPECT_EQ(table.runs[1].params, 1000000.5);
  EXPECT_EQ(table.notes[0], "Decimal commas are read as points, in Parameter, tokens, val_loss.");
}

TEST(DecimalComma, IsReadBetweenTabsWhereItCanBeNothingElse) {
  EXPECT_EQ(read_table("N\tD\tloss\n1e7\t2e8\t5,3369\n", "t").runs[0].loss_nats, 5.3369);
  // 5,336 may be 5336.
  EXPECT_THROW(read_table("N\tD\tloss\n1e7\t2e8\t5,336\n", "t"), Error);
  EXPECT_EQ(read_table("N\tD\tloss\n1e7\t2e8\t5,336\n1e7\t4e8\t5,21\n", "t").runs[0].loss_nats,
            5.336);
  EXPECT_THROW(read_table("N,D,loss\n1e7,2e8,\"5,3369\"\n", "t"), Error)
      << "where commas separate, they are no decimal commas";
}

TEST(DecimalComma, ThousandsOfTheOtherKindAreLeftAlone) {
  try {
    read_table("N;D;loss\n1,234.5;2e8;5,3\n", "t");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("write 1234.5, not 1,234.5"), std::string::npos)
        << error.what();
  }
}

TEST(DecimalComma, ANumberOfTwoMeaningsIsAsked) {
  try {
    read_csv("N;loss\n12.345;5,3\n1,5;4,2\n", "t");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "t: line 2, column N: 12.345 could be 12345 or 12,345, beside numbers with decimal "
        "commas; write it without the point");
  }
}

}  // namespace
}  // namespace bitlaw
