#include "base/time.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

TEST(Time, LengthsAsPeopleWriteThem) {
  EXPECT_EQ(parse_duration("90", "--for"), 90);
  EXPECT_EQ(parse_duration("90s", "--for"), 90);
  EXPECT_EQ(parse_duration("1.5 min", "--for"), 90);
  EXPECT_EQ(parse_duration("2h", "--for"), 7200);
  EXPECT_EQ(parse_duration("1h30m", "--for"), 5400);
  EXPECT_EQ(parse_duration("1 h 05 min", "--for"), 3900);
  EXPECT_EQ(parse_duration("2 days", "--for"), 172800);
}

TEST(Time, OtherTextIsRefusedByName) {
  for (const char* text : {"", " ", "h", "2 fortnights", "-1h", "0", "1..5h", "1,5h", "h1"}) {
    try {
      parse_duration(text, "--for");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find("--for: '"), 0u) << error.what();
    }
  }
}

TEST(Time, NowHasTheFormOfRecords) {
  const std::string now = now_iso();
  ASSERT_EQ(now.size(), 20u);
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now[19], 'Z');
}

}  // namespace
}  // namespace bitlaw
