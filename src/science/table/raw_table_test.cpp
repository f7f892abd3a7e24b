#include "table/raw_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "table/json_table.h"

namespace bitlaw {
namespace {

// Every field that is there, as "place: column=text ...".
std::vector<std::string> lines_of(const RawTable& table) {
  std::vector<std::string> lines;
  for (const RawRow& row : table.rows) {
    lines.push_back(fmt::format("{}:", row.place));
    for (const auto& [column, field] : row.fields)
      lines.back() += fmt::format(" {}={}", table.columns().at(column), field.text());
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(RawTable, TheSameRowsInEveryFormat) {
  const Lines by_entry{"1: N=1e8 loss=3.25", "2: N=2e8 loss=3.0 note=b"};
  for (const auto& [text, kind] : {
           std::pair("N,loss,note\n1e8,3.25,\n2e8,3.0,b\n", "csv"),
           {"N\tloss\tnote\n1e8\t3.25\t\n2e8\t3.0\tb\n", "tsv"},
           {"[{\"N\":\"1e8\",\"loss\":\"3.25\"},\n "
            "{\"N\":\"2e8\",\"loss\":\"3.0\",\"note\":\"b\"}]",
            "json"},
           {"{\"rows\": [{\"N\":\"1e8\",\"loss\":\"3.25\"},\n"
            "{\"N\":\"2e8\",\"loss\":\"3.0\",\"note\":\"b\"}], \"made\": 3}",
            "json"},
           {"{\"N\": [\"1e8\", \"2e8\"], \"loss\": [\"3.25\", \"3.0\"], \"note\": [null, \"b\"]}",
            "json"},
           {"{\"N\":\"1e8\",\"loss\":\"3.25\",\"note\":null}\n\n"
            "{\"N\":\"2e8\",\"loss\":\"3.0\",\"note\":\"b\"}\n",
            "jsonl"},
       }) {
    const RawTable table = read_raw_table(text, "t");
    EXPECT_EQ(table.kind, kind) << text;
    Lines lines = lines_of(table);
    for (size_t i = 0; i < lines.size(); ++i) lines[i][0] = static_cast<char>('1' + i);
    EXPECT_EQ(lines, by_entry) << text;
    EXPECT_EQ(lines_of(read_raw_table(text, "t", kind)), lines_of(table));
  }
}

TEST(RawTable, PlacesAreLinesOrEntries) {
  EXPECT_EQ(read_raw_table("a\n\n1\n", "t").rows[0].place, 3);
  EXPECT_EQ(read_raw_table("{\"a\":1}\n\n{\"a\":1}\n", "t").rows[1].place, 3);
  const RawTable json = read_raw_table("[\n\n{\"a\":1},\n{\"a\":1}]", "t");
  EXPECT_EQ(json.rows[1].place, 2);
  EXPECT_STREQ(json.place_is, "entry");
}

TEST(RawTable, NumbersInJsonKeepEveryDigit) {
  const RawTable table =
      read_raw_table("[{\"a\":3.0677576065063477,\"b\":4999872512,\"c\":-1e-7,\"d\":true}]", "t");
  EXPECT_EQ(lines_of(table), (Lines{"1: a=3.0677576065063477 b=4999872512 c=-1e-07 d=true"}));
}

TEST(RawTable, NestedObjectsBecomeColumnsWithDots) {
  EXPECT_EQ(lines_of(read_raw_table("[{\"a\": {\"b\": {\"c\": 1}, \"list\": [1, 2]}, \"d\": null}]",
                                    "t")),
            (Lines{"1: a.b.c=1 a.list=[1,2]"}));
}

TEST(RawTable, NonNumbersOfPythonAreReadAsText) {
  EXPECT_EQ(lines_of(read_raw_table("[{\"a\":NaN,\"b\":-Infinity,\"c\":\"NaN \\\"NaN\"}]", "t")),
            (Lines{"1: a=NaN b=-Infinity c=NaN \"NaN"}));
}

TEST(RawTable, OneObjectIsOneRow) {
  EXPECT_EQ(lines_of(read_raw_table("{\"N\": 1,\n\"loss\": 2}", "t")), (Lines{"1: N=1 loss=2"}));
  EXPECT_EQ(lines_of(read_raw_table("{\"N\": 1}\n", "t")), (Lines{"1: N=1"}));
}

TEST(RawTable, AnyLayoutOfPandasIsRead) {
  const Lines rows{"1: D=2e9 N=1e8", "2: D=3e9 N=1e8", "3: D=4e9 N=3e8"};
  const auto same = [&](const std::string& text) {
    Lines lines = lines_of(read_raw_table(text, "t"));
    for (std::string& line : lines) {
      const size_t n = line.find(" N="), d = line.find(" D=");
      if (n < d) line = line.substr(0, n) + line.substr(d) + line.substr(n, d - n);
    }
    EXPECT_EQ(lines, rows) << text;
  };
  const std::string values[3] = {R"("N":"1e8","D":"2e9")", R"("N":"1e8","D":"3e9")",
                                 R"("N":"3e8","D":"4e9")"};
  same(R"({"N":{"0":"1e8","1":"1e8","2":"3e8"},"D":{"0":"2e9","1":"3e9","2":"4e9"}})");
  same("{\"0\":{" + values[0] + "},\"1\":{" + values[1] + "},\"2\":{" + values[2] + "}}");
  same("[{" + values[0] + "},{" + values[1] + "},{" + values[2] + "}]");
  same(
      R"({"columns":["N","D"],"index":[0,1,2],"data":[["1e8","2e9"],["1e8","3e9"],["3e8","4e9"]]})");
  same(R"({"schema":{"fields":[{"name":"N"}]},"data":[{)" + values[0] + "},{" + values[1] + "},{" +
       values[2] + "}]}");
  // More than ten rows stay in their order.
  std::string many = "{\"N\":{", loss = "},\"loss\":{";
  for (int i = 0; i < 12; ++i) {
    many += fmt::format("{}\"{}\":{}", i ? "," : "", i, i);
    loss += fmt::format("{}\"{}\":{}", i ? "," : "", i, i);
  }
  EXPECT_EQ(lines_of(read_raw_table(many + loss + "}}", "t"))[10], "11: N=10 loss=10");
}

TEST(RawTable, ObjectsKeyedByRunAreRows) {
  EXPECT_EQ(lines_of(read_raw_table(R"({"a":{"N":1,"loss":3},"b":{"N":2,"loss":2}})", "t")),
            (Lines{"1: N=1 loss=3 run=a", "2: N=2 loss=2 run=b"}));
  EXPECT_EQ(lines_of(read_raw_table(R"({"a":{"x":1,"y":3},"b":{"x":2,"y":2}})", "t")),
            (Lines{"1: run=a x=1 y=3", "2: run=b x=2 y=2"}));
  EXPECT_EQ(lines_of(read_raw_table(R"({"N":{"a":1,"b":2},"loss":{"a":3,"b":2}})", "t")),
            (Lines{"1: N=1 loss=3 run=a", "2: N=2 loss=2 run=b"}));
  // One run of W&B, whose parts have nothing in common.
  EXPECT_EQ(lines_of(read_raw_table(R"({"config":{"N":1},"summary":{"loss":2}})", "t")),
            (Lines{"1: config.N=1 summary.loss=2"}));
}

TEST(RawTable, AListInARunIsReachedByName) {
  const std::string run =
      R"({"params":1,"results":[{"loss":3,"val_data":["c4"]},{"loss":2,"val_data":["wiki"]}]})";
  for (const std::string& text : {run, "[" + run + "]"}) {
    const RawTable table = read_raw_table(text, "t");
    ASSERT_EQ(table.rows.size(), 1u) << text;
    EXPECT_EQ(table.rows[0].at(table.find("results.wiki.loss").value()).text(), "2");
    EXPECT_EQ(table.rows[0].at(table.find("params").value()).text(), "1");
  }
  const RawTable table = read_raw_table(R"([{"evals":[{"loss":3},{"loss":2}]}])", "t");
  EXPECT_EQ(table.rows[0].at(table.find("evals.1.loss").value()).text(), "2");
}

TEST(RawTable, ObjectsWithOtherKeysTakeNoMoreMemoryThanTheirText) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += fmt::format("{{\"k{}\":1}}\n", i);
  const RawTable table = read_raw_table(text, "t");  // a full grid would hold 400 million fields
  EXPECT_EQ(table.columns().size(), 20000u);
  size_t fields = 0;
  for (const RawRow& row : table.rows) fields += row.fields.size();
  EXPECT_EQ(fields, 20000u);
}

TEST(RawTable, WhatIsNoTableIsSaidInOneSentence) {
  struct Mistake {
    std::string text, format, part;
  };
  for (const Mistake& mistake : {
           Mistake{"", "auto", "is empty"},
           Mistake{"PK\x03\x04xyz", "auto", "Excel workbook; save the sheet as CSV"},
           Mistake{"\x1f\x8bxyz", "auto", "gzip"},
           Mistake{"PAR1xyz", "auto", "Parquet"},
           Mistake{"\xff\xfeN", "auto", "UTF-16"},
           Mistake{std::string("a,b\n1,\0", 7), "auto", "a zero byte in line 2"},
           Mistake{"version https://git-lfs.github.com/spec/v1\n", "auto", "a git-lfs pointer"},
           Mistake{"<!DOCTYPE html>\n<html>", "auto", "a page of a web site"},
           Mistake{"<table><tr><th>N</th></tr>", "auto", "is HTML or XML"},
           Mistake{"N & D & loss \\\\\n1 & 2 & 3 \\\\\n", "auto", "a table of LaTeX"},
           Mistake{"- N: 1e8\n  D: 2e9\n", "auto", "is YAML"},
           Mistake{"[[runs]]\nN = 1e8\n", "auto", "is TOML"},
           Mistake{"\x93NUMPY\x01", "auto", "an array of numpy"},
           Mistake{"\x80\x04\x95", "auto", "a Python pickle"},
           Mistake{"[]", "auto", "an empty list"},
           Mistake{"[1, 2]", "auto", "entry 1 is not an object"},
           Mistake{"[[1, 2]]", "auto", "entry 1 is a list without names"},
           Mistake{"[{\"a\": 1}, 3]", "auto", "entry 2 is not an object"},
           Mistake{"[{\"a\": 1},\n{\"a\"", "auto", "not valid JSON near line 2"},
           Mistake{"{\"a\":1}\n{\"a\":1}\n{\"a\":\n", "auto", "not valid JSON near line 3"},
           Mistake{"{\"a\":1}\n3\n", "auto", "line 2 is not an object"},
           Mistake{"[{\"a\": 1e999}]", "auto", "too large"},
           Mistake{"{\"a\":[{\"b\":1}],\"c\":[{\"b\":1}]}", "auto",
                   "several lists of objects, a, c"},
           Mistake{"[{\"a\":{\"b\":1},\"a.b\":2}]", "auto", "a.b appears twice"},
           Mistake{std::string(100000, '['), "auto", "deeper than 64"},
           Mistake{"[{\"a\": 1}]", "quest", "is not QuEST's table"},
           Mistake{"[{\"a\": 1}]", "jsom", "did you mean 'json'?"},
           Mistake{"N,loss\n", "json", "not valid JSON near line 1"},
       }) {
    try {
      read_raw_table(mistake.text, "t", mistake.format);
      FAIL() << mistake.part;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(mistake.part), std::string::npos) << error.what();
    }
  }
  std::string deep = "[{\"a\":";
  for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
  EXPECT_THROW(read_raw_table(deep, "t"), Error);
}

}  // namespace
}  // namespace bitlaw
