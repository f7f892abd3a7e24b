#include "watch/informative.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "design/design.h"
#include "watch/rows_for_tests.h"
#include "work/queue.h"

namespace bitlaw {
namespace {

// A study of which every third run has ended.
class Informative : public testing::Test {
 protected:
  Informative() {
    for (size_t i = 0; i < rows_.size(); ++i) {
      Job job;
      job.run = rows_[i].run;
      jobs_.push_back(job);
      planned_.push_back(rows_[i]);
      planned_.back().status = "started";
      planned_.back().loss = planned_.back().run_fraction = kNoNumber;
      if (i % 3 == 0) finished_.push_back(rows_[i]);
    }
  }

  const std::vector<TidyRow> rows_ = rows_of_a_study();
  std::vector<Job> jobs_;
  std::vector<TidyRow> planned_, finished_;
};

TEST_F(Informative, TheOrderIsThatOfADesign) {
  const std::vector<size_t> order = most_informative(jobs_, planned_, finished_, "kumar");
  std::vector<Observation> table, left;
  StudyShape shape;
  shape.activations = shape.kv = shape.post = {};
  double flop = 0;
  const std::vector<Observation> study = simulate(shape);
  for (size_t i = 0; i < study.size(); ++i) {
    (i % 3 == 0 ? table : left).push_back(study[i]);
    if (i % 3 != 0) flop += 6 * study[i].params * study[i].tokens;
  }
  const Design design = design_runs(
      table, {.law = "kumar", .shrink = "all", .budget = flop / 2, .runs = kChosenRuns}, left);
  ASSERT_GT(design.runs.size(), 2u);
  std::vector<std::string> expected, given;
  const auto text = [](double N, double D, double bits) {
    return std::to_string(N) + " " + std::to_string(D) + " " + std::to_string(bits);
  };
  for (const ProposedRun& run : design.runs) {
    const std::string each = text(run.run.params, run.run.tokens, run.run.bits_weights);
    // A run that is proposed again would need another seed, which this study has not.
    if (std::find(expected.begin(), expected.end(), each) == expected.end())
      expected.push_back(each);
  }
  for (const size_t i : order)
    given.push_back(
        text(static_cast<double>(*rows_[i].N), static_cast<double>(*rows_[i].D), rows_[i].P_w));
  EXPECT_EQ(given, expected);
  for (const size_t i : order) EXPECT_NE(i % 3, 0u) << "has ended";
}

// By published constants. Two runs of one size and precision would not tell what either does.
TEST_F(Informative, BeforeAFitTheRunsDiffer) {
  for (const size_t ended : {0, 1, 4}) {
    const std::vector<size_t> order =
        most_informative(jobs_, planned_, {rows_.begin(), rows_.begin() + ended}, "kumar");
    ASSERT_GE(order.size(), 3u) << ended;
    std::set<std::optional<int64_t>> sizes, tokens;
    std::set<double> bits;
    for (const size_t i : order) {
      EXPECT_GE(i, ended);
      sizes.insert(rows_[i].N);
      tokens.insert(rows_[i].D);
      bits.insert(rows_[i].P_w);
    }
    EXPECT_GT(sizes.size(), 1u);
    EXPECT_GT(tokens.size(), 1u);
    EXPECT_GT(bits.size(), 1u);
  }
}

TEST_F(Informative, NothingIsLeftInTheEnd) {
  EXPECT_TRUE(most_informative(jobs_, planned_, rows_, "kumar").empty());
}

}  // namespace
}  // namespace bitlaw
