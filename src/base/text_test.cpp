#include "base/text.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(Text, DurationsAreRoundedToTheirUnit) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1 min 00 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(3900), "1 h 05 min");
  EXPECT_EQ(format_duration(-3), "0 s");
}

TEST(Text, CountsCarryTheirThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(950), "950");
  EXPECT_EQ(format_count(1200), "1.2 k");
  EXPECT_EQ(format_count(999999), "1 M");
  EXPECT_EQ(format_count(3.4e6), "3.4 M");
  EXPECT_EQ(format_count(26e9), "26 B");
  EXPECT_EQ(format_count(15e12), "15 T");
}

TEST(Text, BytesCountInPowersOfTwo) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(2.0 * (1 << 30)), "2.0 GiB");
}

TEST(Text, SplitKeepsEmptyPartsButNothingOfNothing) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(split(",", ','), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(split("alone", ','), std::vector<std::string>{"alone"});
  EXPECT_TRUE(split("", ',').empty());
}

TEST(Text, TrimTakesBlanksFromBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

}  // namespace
}  // namespace bitlaw
