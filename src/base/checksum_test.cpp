#include "base/checksum.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(Checksum, HoldsInAnyLayoutAndForNoOtherContent) {
  const Json document{{"loss", 0.1 + 0.2}, {"whole", 3.0}, {"list", {1, nullptr, "a"}}};
  const Json sealed = with_checksum(document);
  EXPECT_EQ(with_checksum(sealed), sealed);
  for (const std::string& text : {dump_json(sealed), dump_json(sealed, 3)})
    require_checksum(parse_json(text, "f"), "f");
  require_checksum(document, "f");  // of an earlier version
  for (const char* key : {"loss", "whole", "list", "checksum"}) {
    Json changed = sealed;
    changed[key] = 7;
    EXPECT_EQ(error_of([&] { require_checksum(changed, "f"); }),
              "f: was changed after it was written: its checksum does not match");
  }
  Json longer = sealed;
  longer["more"] = 1;
  EXPECT_THROW(require_checksum(longer, "f"), Error);
}

}  // namespace
}  // namespace bitlaw
