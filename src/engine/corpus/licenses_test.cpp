#include "corpus/licenses.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

using Names = std::vector<std::string>;

TEST(Licenses, AreTheNamesOfTheFieldsTheMostFrequentFirst) {
  EXPECT_EQ(
      licenses_of("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
                  "\nFiles: *\nLicense: MIT\n\nFiles: a\nLicense: GPL-2+ or Artistic\n"
                  " License: not a field\n\nFiles: b\nLicense:  GPL-2+ or Artistic\n"
                  "\nLicense:\n"),
      (Names{"GPL-2+ or Artistic", "MIT"}));
  EXPECT_EQ(licenses_of("This package is free. License terms follow.\n"), Names{});
  EXPECT_EQ(licenses_of("License: By using this software you agree to\n"), Names{}) << "no name";
  EXPECT_EQ(licenses_of("License: a\xff\n"), Names{"a\uFFFD"}) << "always UTF-8";
}

}  // namespace
}  // namespace bitlaw
