#include "table/merge_replicates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace bitlaw {
namespace {

// Two sizes, three learning rates each.
const char* const kGrid =
    "N,D,loss,lr\n1e8,2e9,3.2,0.001\n1e8,2e9,3.0,0.002\n1e8,2e9,3.4,0.004\n"
    "2e8,2e9,2.8,0.001\n2e8,2e9,2.9,0.002\n2e8,2e9,3.0,0.004\n";

Table merged(const std::string& text, const std::string& how) {
  return read_table(text, "t", TableOptions{.replicates = how});
}

TEST(MergeReplicates, TheBestOfAGridIsThatOfEachSize) {
  const Table table = merged(kGrid, "best");
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[0].loss_nats, 3.0);
  EXPECT_EQ(table.runs[1].loss_nats, 2.8);
  EXPECT_EQ(table.factors.size(), 2u);
  EXPECT_EQ(table.notes[0],
            "6 runs of equal inputs became 2: the one with the least loss of each.");
  // All of them differ in the learning rate at one size, which is refused.
  EXPECT_THROW(merged(kGrid, "all"), Error);
  try {
    merged(kGrid + std::string("2e8,2e9,3.1,0.008\n"), "all");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what())
                  .find("give --replicates best, for the best run of each N, D and precision, or "
                        "--pool lr"),
              std::string::npos)
        << error.what();
  }
}

TEST(MergeReplicates, TheMeanHasItsStandardError) {
  const Table table = merged(kGrid, "mean");
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_NEAR(table.runs[0].loss_nats, 3.2, 1e-12);
  EXPECT_NEAR(table.runs[0].loss_standard_error, 0.2 / std::sqrt(3.0), 1e-12);
}

TEST(MergeReplicates, PrecisionsAndWhatCannotBeComparedStayApart) {
  EXPECT_EQ(
      merged("N,D,loss,P_w\n1e8,2e9,3,16\n1e8,2e9,2.9,16\n1e8,2e9,3.2,4\n1e8,2e9,3.3,4\n", "best")
          .runs.size(),
      2u);
  EXPECT_THROW(merged("N,D,loss,tokenizer\n1e8,2e9,3,a\n1e8,2e9,2,b\n", "best"), Error)
      << "losses of two tokenizers";
  EXPECT_THROW(merged(kGrid, "least"), Error);
}

TEST(MergeReplicates, EqualInputsAreResampledTogether) {
  const std::string text =
      "N,D,loss,seed\n1e8,2e9,3.2,1\n1e8,2e9,3.0,2\n2e8,2e9,2.8,1\n2e8,4e9,2.7,1\n";
  const Table table = read_table(text, "t");
  EXPECT_EQ(table.runs[0].cluster, "inputs of row 1");
  EXPECT_EQ(table.runs[1].cluster, "inputs of row 1");
  EXPECT_EQ(table.runs[2].cluster, "");
  EXPECT_EQ(read_table(text, "t", TableOptions{.cluster = "row"}).runs[0].cluster, "");
  EXPECT_EQ(read_table(text, "t", TableOptions{.cluster = "seed"}).runs[0].cluster, "1");
}

TEST(MergeReplicates, RunsOfAGridAreResampledTogetherThoughTheyHaveNames) {
  const auto clusters = [](const std::string& text) {
    TableOptions options;
    options.may_differ.pooled = {"lr"};
    std::vector<std::string> out;
    for (const Observation& run : read_table(text, "t", options).runs) out.push_back(run.cluster);
    return out;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(clusters("N,D,loss,lr,run_id\n1e8,2e9,3.2,0.001,a\n1e8,2e9,3.0,0.002,b\n"
                     "2e8,2e9,2.8,0.001,c\n2e8,4e9,2.7,0.001,d\n"),
            (Names{"a", "a", "c", "d"}));
  EXPECT_EQ(clusters("N,D,loss,seed,run_id\n1e8,2e9,3.2,1,a\n1e8,2e9,3.0,2,b\n"), (Names{"a", "b"}))
      << "seeds are no grid";
}

}  // namespace
}  // namespace bitlaw
