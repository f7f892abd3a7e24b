#include "base/progress.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

// Captured output is not a terminal, so these are the plain lines of a log.
TEST(Progress, FinishWritesOneLineToStandardError) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    Progress progress("fitting", 10);
    progress.update(3);  // too soon after the start for another line
    progress.finish("loss 3.2");
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("fitting 100%"), 0u) << text;
  EXPECT_NE(text.find("loss 3.2\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos) << text;
}

TEST(Progress, QuietWritesNothing) {
  testing::internal::CaptureStderr();
  {
    Progress progress("fitting", 10, true);
    progress.update(5, "note");
    progress.finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace bitlaw
