#include "base/known_content.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(KnownContent, IsNamed) {
  EXPECT_NE(known_content("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
                .find("git lfs pull"),
            std::string::npos);
  EXPECT_NE(known_content("PK\x03\x04rest").find("torch.save"), std::string::npos);
  for (const char* answer : {"Entry not found", "{\"error\":\"Repository not found\"}",
                             "Access to model x is restricted."})
    EXPECT_NE(known_content(answer).find("an answer of a web site"), std::string::npos) << answer;
  EXPECT_NE(known_content("GGUF").find("GGUF"), std::string::npos);
  EXPECT_NE(known_content("\n<!DOCTYPE html>\n<html>").find("page of a web site"),
            std::string::npos);
}

TEST(KnownContent, OtherBytesAreNothingKnown) {
  for (const char* bytes : {"", " ", "{\"a\": 1}", "version 3", "PK", "some text <html>"})
    EXPECT_EQ(known_content(bytes), "") << bytes;
}

}  // namespace
}  // namespace bitlaw
