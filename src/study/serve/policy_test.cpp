#include "serve/policy.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(Policy, IsThatOfThePageAndRefusesFrames) {
  EXPECT_EQ(policy_of("<head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                      "'none'\"></head>"),
            "default-src 'none'; frame-ancestors 'none'");
}

// printf 'alert(1)' | openssl dgst -sha256 -binary | base64
TEST(Policy, AllowsTheScriptsOfAPageWithoutOneByTheirHashes) {
  const std::string policy =
      policy_of("<script type=\"application/json\">{}</script><script>alert(1)</script><p>");
  EXPECT_NE(policy.find("script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';"),
            std::string::npos)
      << policy;
  EXPECT_EQ(policy.find("unsafe-eval"), std::string::npos);
  EXPECT_NE(policy_of("<p>").find("script-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
