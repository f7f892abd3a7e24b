#include "table/gaps.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace bitlaw {
namespace {

Table gaps_of(const std::string& csv, const std::string& reference = "bf16") {
  TableOptions options;
  options.gap_to = reference;
  options.may_differ.pooled = {"lr"};
  return read_table(csv, "t.csv", options);
}

std::string refusal(const std::string& csv, const std::string& reference = "bf16") {
  try {
    gaps_of(csv, reference);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string note_of(const Table& table) {
  const auto found =
      std::find_if(table.notes.begin(), table.notes.end(),
                   [](const std::string& note) { return note.starts_with("Gaps: "); });
  return found == table.notes.end() ? "" : *found;
}

TEST(Gaps, ArePairedBySizeDataAndSeed) {
  const Table table = gaps_of(
      "N,D,precision,seed,loss\n"
      "1e6,1e8,bf16,1,3.00\n1e6,1e8,bf16,2,3.02\n"
      "1e6,1e8,W4A4,1,3.10\n1e6,1e8,W4A4,2,3.13\n"
      "2e6,1e8,bf16,1,2.90\n2e6,1e8,W4A4,1,2.95\n");
  ASSERT_EQ(table.runs.size(), 3u);
  const double expected[] = {0.10, 0.11, 0.05};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(table.runs[i].delta_nats, expected[i], 1e-12);
    EXPECT_FALSE(table.runs[i].is_post_training());
  }
  EXPECT_NE(table.runs[0].cluster, table.runs[2].cluster);
  EXPECT_NE(note_of(table).find("3 runs are paired with 3 of bf16"), std::string::npos)
      << note_of(table);
}

TEST(Gaps, ASeedWithoutAReferenceIsHeldAgainstTheMean) {
  const Table table = gaps_of(
      "N,D,precision,seed,loss\n"
      "1e6,1e8,bf16,1,3.00\n1e6,1e8,bf16,2,3.02\n1e6,1e8,W4A4,3,3.11\n3e6,1e8,W4A4,1,2.8\n");
  ASSERT_EQ(table.runs.size(), 1u);
  EXPECT_NEAR(table.runs[0].delta_nats, 0.10, 1e-12);
  EXPECT_NE(note_of(table).find("1 have no reference of their seed"), std::string::npos);
  EXPECT_NE(note_of(table).find("1 without a reference of their N and D are left out"),
            std::string::npos);
}

// D is rounded to whole steps of other batches; another N is another run.
TEST(Gaps, DWithinAPercentIsTheSame) {
  const Table table = gaps_of("N,D,precision,loss\n1e6,1.000e8,bf16,3.0\n1e6,1.003e8,W4A4,3.1\n");
  EXPECT_EQ(table.runs.size(), 1u);
  EXPECT_NE(refusal("N,D,precision,loss\n1e6,1e8,bf16,3.0\n2e6,1e8,W4A4,3.1\n")
                .find("no run has a reference of its N and D"),
            std::string::npos);
}

TEST(Gaps, ErrorsAreThoseBetweenSeeds) {
  // Gaps of a cell differ by +-.01 around their mean: five cells of two, so .01 sqrt 2.
  std::string csv = "N,D,precision,seed,loss\n";
  for (int cell = 1; cell <= 5; ++cell) {
    for (int seed = 1; seed <= 2; ++seed) {
      csv += fmt::format("{}e6,1e8,bf16,{},3.0\n{}e6,1e8,W4A4,{},{}\n", cell, seed, cell, seed,
                         seed == 1 ? 3.11 : 3.09);
    }
  }
  const Table table = gaps_of(csv);
  for (const Observation& run : table.runs)
    EXPECT_NEAR(run.delta_standard_error, 0.01 * std::sqrt(2.0), 1e-12);
  EXPECT_NE(note_of(table).find("that between seeds, 0.0141 nats"), std::string::npos)
      << note_of(table);
}

TEST(Gaps, OrThoseOfTheLosses) {
  const Table table = gaps_of(
      "N,D,precision,loss,loss_standard_error\n"
      "1e6,1e8,baseline,3.0,.003\n1e6,1e8,W4A4,3.1,.004\n",
      "baseline");
  EXPECT_NEAR(table.runs[0].delta_standard_error, 0.005, 1e-15);
  const Table unknown =
      gaps_of("N,D,precision,loss\n1e6,1e8,baseline,3.0\n1e6,1e8,W4A4,3.1\n", "baseline");
  EXPECT_TRUE(std::isnan(unknown.runs[0].delta_standard_error));
  EXPECT_NE(note_of(unknown).find("nothing tells the error of a gap"), std::string::npos);
}

TEST(Gaps, AReferenceThatTheTableDoesNotHaveIsNamed) {
  EXPECT_NE(refusal("N,D,precision,loss\n1e6,1e8,bf16,3.0\n1e6,1e8,W4A4,3.1\n", "fp64x")
                .find("no row is of this class"),
            std::string::npos);
}

// Each learning rate against its own reference, where there is one.
TEST(Gaps, ReferencesHaveTheSettingsOfTheRun) {
  const Table table = gaps_of(
      "N,D,precision,lr,loss\n"
      "1e6,1e8,bf16,.001,3.0\n1e6,1e8,bf16,.002,3.3\n"
      "1e6,1e8,W4A4,.001,3.1\n1e6,1e8,W4A4,.002,3.4\n1e6,1e8,W4A4,.003,3.25\n");
  ASSERT_EQ(table.runs.size(), 3u);
  for (const Observation& run : table.runs) EXPECT_NEAR(run.delta_nats, 0.1, 1e-12);
  EXPECT_NE(note_of(table).find("1 have no reference of their settings"), std::string::npos)
      << note_of(table);
}

// A run whose embeddings alone are quantized is no reference.
TEST(Gaps, EmbeddingsAreAPart) {
  const Table table = gaps_of(
      "N,D,P_w,P_emb,loss\n1e6,1e8,16,16,3.0\n1e6,1e8,16,2,3.4\n1e6,1e8,4,16,3.1\n", "bf16");
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_NEAR(table.runs[0].delta_nats, 0.4, 1e-12);
  EXPECT_NEAR(table.runs[1].delta_nats, 0.1, 1e-12);
}

// Gaps at two learning rates, or to one reference, are no replicates of each other.
TEST(Gaps, OnlyOtherSeedsWithReferencesOfTheirOwnTellTheError) {
  std::string csv = "N,D,precision,lr,seed,loss\n";
  for (int cell = 1; cell <= 6; ++cell) {
    for (const double lr : {.001, .002}) {
      csv += fmt::format("{0}e6,1e8,bf16,{1},1,3.0\n{0}e6,1e8,W4A4,{1},1,{2}\n", cell, lr,
                         lr == .001 ? 3.1 : 3.3);
    }
  }
  EXPECT_EQ(note_of(gaps_of(csv)).find("between seeds"), std::string::npos)
      << note_of(gaps_of(csv));
}

// The gap to the mean of two runs shares each of them with gaps to one.
TEST(Gaps, RunsThatShareAReferenceShareACluster) {
  const Table table = gaps_of(
      "N,D,precision,seed,loss\n"
      "1e6,1e8,bf16,1,3.00\n1e6,1e8,bf16,2,3.02\n"
      "1e6,1e8,W4A4,1,3.1\n1e6,1e8,W4A4,2,3.1\n1e6,1e8,W4A4,3,3.1\n"
      "2e6,1e8,bf16,1,2.90\n2e6,1e8,W4A4,1,2.95\n");
  ASSERT_EQ(table.runs.size(), 4u);
  EXPECT_EQ(table.runs[0].cluster, table.runs[2].cluster);
  EXPECT_EQ(table.runs[1].cluster, table.runs[2].cluster);
  EXPECT_NE(table.runs[0].cluster, table.runs[3].cluster);
}

}  // namespace
}  // namespace bitlaw
