#include "table/importers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/source_folder.h"
#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw {
namespace {

std::string quest_row(const std::string& weights, const std::string& activations, double w_bits,
                      double a_bits) {
  return fmt::format(
      R"({{"model_size": 30, "non_embedding_parameters": 30482560, "w_bits": {}, "a_bits": {}, )"
      R"("loss": 3.25, "tokens": 2999975936, "bops": 9e16, "w_quant": "{}", "a_quant": "{}", )"
      R"("trust": null, "args": {{"lr": 0.0012, "seed": 7, "scheduler": "cos", "list": []}}}})",
      w_bits, a_bits, weights, activations);
}

struct Quantizers {
  const char *weights, *activations;
  double w_bits, a_bits;
  const char* precision;
  double read_w_bits, read_a_bits;
};

TEST(Quest, ClassesAreThoseOfItsNotebook) {
  const std::vector<Quantizers> cases{
      {"NoQuantizer", "NoQuantizer", 16, 16, "BF16", 16, 16},
      {"HalfHadamardTrustQuantizer", "HalfHadamardTrustQuantizer", 4, 4, "4", 4, 4},
      {"HadamardClipQuantizer", "HadamardClipQuantizer", 1, 1, "1", 1, 1},
      {"TrustQuantizer", "TrustQuantizer", 2, 2, "2NOH", 2, 2},
      {"HalfHadamardTrustQuantizer", "NoQuantizer", 3, 16, "3WO", 3, 16},
      {"HadamardFourEightTrustQuantizer", "HadamardTrustQuantizer", 4, 4, "2.5", 4, 4},
      {"HalfHadamardFP4TrustQuantizer", "HalfHadamardFP4TrustQuantizer", 16, 16, "fp4", 4, 4},
  };
  std::string text;
  for (const Quantizers& each : cases)
    text += (text.empty() ? "[" : ", ") +
            quest_row(each.weights, each.activations, each.w_bits, each.a_bits);
  const Table table = read_table(text + "]", "runs.json");
  EXPECT_EQ(table.kind, "quest");
  ASSERT_EQ(table.runs.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const Observation& run = table.runs[i];
    EXPECT_EQ(run.precision, cases[i].precision);
    EXPECT_EQ(run.params, 30482560);
    EXPECT_EQ(run.tokens, 2999975936);
    EXPECT_EQ(run.loss_nats, 3.25);
    EXPECT_EQ(run.bits_weights, cases[i].read_w_bits);
    EXPECT_EQ(run.bits_activations, cases[i].read_a_bits);
    EXPECT_EQ(run.bits_kv, kUnquantizedBits);
  }
  EXPECT_EQ(table.runs.back().exponent_bits, 2);
  EXPECT_EQ(table.runs.back().mantissa_bits, 1);
}

TEST(Quest, AFieldThatTheClassNeedsMayNotBeMissing) {
  const std::string text = "[" + quest_row("TrustQuantizer", "", 4, 4) + "]";
  try {
    read_table(text, "runs.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("entry 1 has no a_quant"), std::string::npos)
        << error.what();
  }
}

TEST(Quest, SeedAndScheduleMayTellClusters) {
  TableOptions options;
  options.cluster = "schedule,seed";
  const std::string text = "[" + quest_row("NoQuantizer", "NoQuantizer", 16, 16) + "]";
  EXPECT_EQ(read_table(text, "runs.json", options).runs[0].cluster, "cos/7");
}

// The public table was made from the JSON elsewhere: written back into the JSON's fields, it must
// give itself again, classes included.
TEST(Quest, APublicTableComesBack) {
  const std::filesystem::path path =
      std::filesystem::path(kSourceFolder) / "../shared/data/quest_qat.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const Table expected = read_table(read_file(path), path.string());
  const RawTable raw = read_raw_table(read_file(path), path.string());
  const auto field = [&](const RawRow& row, const char* name) {
    return row.at(*raw.find(name)).text();
  };
  std::string text;
  for (const RawRow& row : raw.rows) {
    text += fmt::format(
        R"({}{{"non_embedding_parameters": {}, "tokens": {}, "loss": {}, "w_bits": {}, )"
        R"("a_bits": {}, "w_quant": "{}", "a_quant": "{}"}})",
        text.empty() ? "[" : ",\n", field(row, "N"), field(row, "D"), field(row, "loss"),
        field(row, "w_bits"), field(row, "a_bits"), field(row, "w_quant"), field(row, "a_quant"));
  }
  const Table table = read_table(text + "]", "runs.json");
  EXPECT_EQ(table.kind, "quest");
  ASSERT_EQ(table.runs.size(), 104u);
  ASSERT_EQ(expected.runs.size(), 104u);
  for (size_t i = 0; i < 104; ++i) {
    EXPECT_EQ(table.runs[i].params, expected.runs[i].params);
    EXPECT_EQ(table.runs[i].tokens, expected.runs[i].tokens);
    EXPECT_EQ(table.runs[i].loss_nats, expected.runs[i].loss_nats);
    EXPECT_EQ(table.runs[i].precision, expected.runs[i].precision);
    EXPECT_EQ(table.runs[i].bits_weights, expected.runs[i].bits_weights);
    EXPECT_EQ(table.runs[i].bits_activations, expected.runs[i].bits_activations);
  }
}

}  // namespace
}  // namespace bitlaw
