#include "table/several_tables.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "table/table.h"

namespace bitlaw {
namespace {

RawTable joined(const std::string& a, const std::string& b) {
  std::vector<NamedTable> tables;
  tables.push_back({"a.csv", read_raw_table(a, "a.csv")});
  tables.push_back({"b.json", read_raw_table(b, "b.json")});
  return join_tables(std::move(tables));
}

TEST(SeveralTables, HaveTheRowsAndColumnsOfAll) {
  const RawTable raw = joined("N,D,loss,P_w\n1e8,2e9,3,4\n", R"([{"loss":2.5,"N":1e8,"D":4e9}])");
  EXPECT_EQ(raw.kind, "several");
  const Table table = table_of(raw, "a.csv, b.json", {});
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[1].tokens, 4e9);
  EXPECT_EQ(table.runs[1].bits_weights, 16);
  const Table of_one = table_of(raw, "t", TableOptions{.where = {"file=b.json"}});
  EXPECT_EQ(of_one.runs.size(), 1u);
}

TEST(SeveralTables, AMessageNamesTheFileOfTheRow) {
  try {
    table_of(joined("N,D,loss\n1e8,2e9,3\n", R"([{"loss":-2.5,"N":1e8,"D":4e9}])"), "*", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "*: b.json, entry 1, column loss: -2.5 must be positive; --where 'loss>0' leaves "
                 "such rows out");
  }
}

}  // namespace
}  // namespace bitlaw
