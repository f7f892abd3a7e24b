#include "base/home.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(Home, StandsForATilde) {
  const char* const before = std::getenv("HOME");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(expand_home("~"), "/home/ada");
  EXPECT_EQ(expand_home("~/data/x"), "/home/ada/data/x");
  for (const char* path : {"", "data", "./~", "a/~/b", "/~", "~old.csv"})
    EXPECT_EQ(expand_home(path), path);
  EXPECT_NE(error_of([] { expand_home("~bob/data"); }).find("write the whole path, or ./~bob/data"),
            std::string::npos);
  ::unsetenv("HOME");
  EXPECT_NE(error_of([] { expand_home("~/data"); }).find("$HOME is not set"), std::string::npos);
  if (before != nullptr) ::setenv("HOME", kept.c_str(), 1);
}

}  // namespace
}  // namespace bitlaw
