#include "base/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace bitlaw {
namespace {

TEST(Number, IsReadInFullOrNotAtAll) {
  for (const auto& [text, value] : {std::pair("3", 3.0),
                                    {" 3 ", 3},
                                    {"-0.5", -.5},
                                    {"+2", 2},
                                    {".5", .5},
                                    {"5.", 5},
                                    {"1e21", 1e21},
                                    {"1E-3", 1e-3},
                                    {"\t4\r\n", 4}})
    EXPECT_EQ(parse_number(text), value) << text;
  for (const char* text : {"", " ", "x", "3x", "3 4", "1,5", "0x10", "++2", "+-2", "-", "+", "e5",
                           "1e", "1e999", "4k"})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
}

TEST(Number, InfiniteAndUndefinedOnesAreLeftToTheCaller) {
  EXPECT_TRUE(std::isnan(parse_number("nan").value()));
  EXPECT_TRUE(std::isinf(parse_number("-inf").value()));
  for (const char* text : {"nan", "inf", "-inf"}) EXPECT_EQ(parse_finite(text), std::nullopt);
  for (const char* text : {"0", "-1", "inf", "x"}) EXPECT_EQ(parse_positive(text), std::nullopt);
  EXPECT_EQ(parse_finite("-1"), -1);
  EXPECT_EQ(parse_positive("1e-3"), 1e-3);
}

TEST(Number, CountsTakeASuffix) {
  for (const auto& [text, value] : {std::pair("500k", 5e5),
                                    {"500K", 5e5},
                                    {"30M", 3e7},
                                    {"30 m", 3e7},
                                    {"1.5B", 1.5e9},
                                    {"1.5g", 1.5e9},
                                    {"2T", 2e12},
                                    {"+7e3", 7e3}})
    EXPECT_EQ(parse_count(text), value) << text;
  for (const char* text : {"", "k", "M5", "5MM", "5 M B", "5q", "fast"})
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
}

TEST(Number, WholesAndDecimalsAreTakenFromTheFront) {
  std::string_view text = "16a1.58e3";
  EXPECT_EQ(take_whole(text), 16);
  EXPECT_EQ(text, "a1.58e3");
  EXPECT_EQ(take_whole(text), std::nullopt);
  text.remove_prefix(1);
  EXPECT_EQ(take_decimal(text), 1.58);
  EXPECT_EQ(text, "e3");
  EXPECT_EQ(parse_whole("128"), 128);
  EXPECT_EQ(parse_whole("0"), 0);
  for (const char* bad : {"", "-1", "+1", "01", "1.0", "12x", "99999999999"})
    EXPECT_EQ(parse_whole(bad), std::nullopt) << bad;
}

TEST(ParseBytes, TakesDecimalAndBinaryUnitsAndNothingElse) {
  const std::pair<const char*, double> good[] = {
      {"200MB", 2e8},       {"1.5GB", 1.5e9},        {"512B", 512},       {" 3 kB", 3e3},
      {"2GiB", 2147483648}, {"7mib", 7 * 1048576.0}, {"1e3KiB", 1024000}, {"2TB", 2e12}};
  for (const auto& [text, value] : good) EXPECT_EQ(parse_bytes(text), value) << text;
  for (const char* text :
       {"", "B", "200", "200M", "MB", "-2MB", "0GB", "2iB", "2 M B", "nanMB", "infB", "2XB", "GiB"})
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
}

}  // namespace
}  // namespace bitlaw
