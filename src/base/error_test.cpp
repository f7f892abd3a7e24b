#include "base/error.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(Check, AFalseConditionStopsTheProgramAndSaysWhere) {
  int calls = 0;
  BITLAW_CHECK(++calls == 1);
  EXPECT_EQ(calls, 1);
  EXPECT_DEATH(BITLAW_CHECK(1 + 1 == 3),
               "error_test.cpp:[0-9]+: internal check failed: 1 \\+ 1 == 3");
}

TEST(Error, CarriesItsSentence) {
  EXPECT_STREQ(Error("runs.csv: no column 'loss'").what(), "runs.csv: no column 'loss'");
}

}  // namespace
}  // namespace bitlaw
