// `bitlaw eval` on other data than the run's.
#include <gtest/gtest.h>

#include "base/random.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

using EvalVerb = World;

// Text of bytes that the run has never seen: less is known of it than by a guess.
TEST_F(EvalVerb, SaysThatAModelKnowsLessThanAGuess) {
  for (uint64_t document = 0; document < 20; ++document) {
    std::string text;
    for (uint64_t i = 0; i < 600; ++i)
      text += "#$%&*+<=>@[]^_{|}~0123456789"[random_below(7, document, i, 28)];
    write_text(around_.directory / "signs" / (std::to_string(document) + ".txt"), text);
  }
  ASSERT_EQ(
      run({"data", "prepare", "signs", "--to", "other", "--tokenizer", "byte", "--quiet"}).status,
      0);
  const std::vector<std::string> line{"eval", run_, "--data", "other", "--threads", "1"};
  const Outcome outcome = run(line);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("a uniform guess among 257 tokens has 5.55: was the data set made"),
            std::string::npos)
      << outcome.err << outcome.out;
  std::vector<std::string> accepted = line;
  accepted.push_back("--worse-than-chance");
  EXPECT_EQ(run(accepted).status, 0);
  const Outcome own = run({"eval", run_, "--threads", "1"});
  EXPECT_EQ(own.status, 0);
  EXPECT_EQ(own.err, "");
  // Other text at the place of the run's.
  ASSERT_EQ(run({"data", "prepare", "signs", "--to", "data", "--tokenizer", "byte", "--overwrite",
                 "--quiet"})
                .status,
            0);
  const Outcome changed = run({"eval", run_, "--threads", "1"});
  EXPECT_EQ(changed.status, 1);
  EXPECT_NE(changed.err.find("data: is not the data set that "), std::string::npos) << changed.err;
}

}  // namespace
}  // namespace bitlaw
