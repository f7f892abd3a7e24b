#include "base/csv.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(Csv, WhatIsWrittenIsReadBack) {
  const std::vector<std::vector<std::string>> rows{
      {"run", "a, b", "say \"so\""}, {"", "x\ny\r\nz", "\"\""}, {"0.1", "", "e"}};
  std::string text;
  for (const auto& row : rows) text += csv_line(row);
  EXPECT_EQ(text,
            "run,\"a, b\",\"say \"\"so\"\"\"\n"
            ",\"x\ny\r\nz\",\"\"\"\"\"\"\n0.1,,e\n");
  std::vector<std::vector<std::string>> read;
  std::vector<int> lines;
  read_csv_records(text, "t", csv_separator(text), [&](CsvRecord& record) {
    lines.push_back(record.line);
    read.push_back(std::move(record.fields));
  });
  EXPECT_EQ(read, rows);
  EXPECT_EQ(lines, (std::vector<int>{1, 2, 5}));
}

}  // namespace
}  // namespace bitlaw
