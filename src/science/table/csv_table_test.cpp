#include "table/csv_table.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

std::vector<std::vector<std::string>> fields_of(const RawTable& table) {
  std::vector<std::vector<std::string>> all;
  for (const RawRow& row : table.rows) {
    all.emplace_back();
    for (size_t i = 0; i < table.columns().size(); ++i) all.back().push_back(row.at(i).text());
  }
  return all;
}

using Fields = std::vector<std::vector<std::string>>;

TEST(CsvTable, QuotedFieldsHoldSeparatorsLineEndsAndQuotes) {
  const RawTable table = read_csv("a,b\n\"1,2\",\"x\ny\"\n\"say \"\"so\"\"\",\"\"\n", "t");
  EXPECT_EQ(table.columns(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields_of(table), (Fields{{"1,2", "x\ny"}, {"say \"so\"", ""}}));
  EXPECT_EQ(table.rows[0].place, 2);
  EXPECT_EQ(table.rows[1].place, 4) << "the line in which it begins";
}

TEST(CsvTable, AnyLineEndIsOne) {
  const Fields expected{{"1", "2"}, {"3", "4"}};
  for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r",
                           "\na,b\n\n1,2\n\n3,4", "\xEF\xBB\xBF\na,b\n1, 2 \n 3,4\n"}) {
    const RawTable table = read_csv(text, "t");
    EXPECT_EQ(fields_of(table), expected) << text;
    EXPECT_EQ(table.columns(), (std::vector<std::string>{"a", "b"}));
  }
  EXPECT_EQ(read_csv("a\r1\r2\r", "t").rows[1].place, 3);
}

TEST(CsvTable, TheHeaderTellsTheSeparator) {
  for (const auto& [text, kind] :
       {std::pair("a,b\n1,2\n", "csv"), {"a\tb\n1\t2\n", "tsv"}, {"a;b\n1;2\n", "csv"}}) {
    const RawTable table = read_csv(text, "t");
    EXPECT_EQ(fields_of(table), (Fields{{"1", "2"}}));
    EXPECT_EQ(table.kind, kind);
  }
  EXPECT_EQ(read_csv("\"a;b;c\",d\n1,2\n", "t").columns()[0], "a;b;c");
  EXPECT_EQ(read_csv("a,b;c\n1,2\n", "t", ',').columns()[1], "b;c");
}

TEST(CsvTable, ColumnsWithoutANameGetOne) {
  EXPECT_EQ(read_csv(",N,\n0,1,2\n", "t").columns(),
            (std::vector<std::string>{"column 1", "N", "column 3"}));
}

TEST(CsvTable, MistakesNameTheirLine) {
  for (const auto& [text, part] :
       {std::pair("", "t: is empty"),
        {"\n \n", "t: is empty"},
        {"a,b,a\n", "column a appears twice"},
        {"a,b\n1\n", "line 2 has 1 field, the header has 2"},
        {"a,b\n1,2\n\n1,2,3\n", "line 4 has 3 fields"},
        {"a,b\n1\n1,2\n1,2,3\n", "line 2 has 1 field, line 4 has 3 fields, the header has 2"},
        {"a,b\n1,\"2\n", "begins in line 2 never ends"}}) {
    try {
      read_csv(text, "t");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace bitlaw
