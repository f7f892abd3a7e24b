// bitlaw serve: what it refuses to begin with.
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

using ServeVerb = World;

TEST_F(ServeVerb, RefusesWhatItCannotServe) {
  expect_refused({"serve"}, {"runs"});
  expect_refused({"serve", "nowhere"}, {"nowhere", "is not a directory"});
  expect_refused({"serve", "table.csv"}, {"table.csv", "is not a directory"});
  expect_refused({"serve", "runs", "--port", "70000"}, {"70000"});
  expect_refused({"serve", "runs", "--law", "kumer"}, {"kumer", "did you mean 'kumar'?"});
  expect_refused({"serve", "runs", "--listen", "192.0.2.1"}, {"192.0.2.1", "--listen"});
}

TEST_F(ServeVerb, RefusesTokensThatAreNone) {
  expect_refused({"serve", "runs", "--token-file", "nowhere"}, {"nowhere"});
  write_text(around_.directory / "token", "short\n");
  expect_refused({"serve", "runs", "--token-file", "token"}, {"token", "5 characters", "32"});
  around_.variables["BITLAW_TOKEN"] = "guessed";
  expect_refused({"serve", "runs"}, {"BITLAW_TOKEN", "7 characters"});
}

}  // namespace
}  // namespace bitlaw
