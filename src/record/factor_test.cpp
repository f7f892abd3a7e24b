#include "record/factor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "record/factor_names.h"
#include "record/tidy_row.h"

namespace bitlaw {
namespace {

bool is_column(const std::string& name) {
  return std::any_of(tidy_columns().begin(), tidy_columns().end(),
                     [&](const TidyColumn& column) { return name == column.name; });
}

TEST(Factor, EachIsAColumnAndComesAfterWhatDecidesIt) {
  std::set<std::string> before{kCalibrationSeed};  // which is no factor
  for (const Factor& factor : factors()) {
    EXPECT_EQ(is_column(factor.name), factor.values == Values::kOfColumn) << factor.name;
    EXPECT_EQ(&factors()[factor.index()], &factor);
    for (const std::string& other : split(factor.follows, ' '))
      EXPECT_TRUE(other.empty() || before.count(other)) << factor.name << " follows " << other;
    const std::string bits = factor.bits;
    EXPECT_TRUE(bits.empty() || bits == "P" || is_column(bits)) << factor.name;
    EXPECT_TRUE(before.insert(factor.name).second) << factor.name;
  }
  EXPECT_TRUE(find_factor("extra_norm")->is_text());
  EXPECT_FALSE(find_factor("lr")->is_text());
  EXPECT_TRUE(find_factor("tokenizer")->is_text());
  EXPECT_FALSE(find_factor("dropout")->is_text());
  EXPECT_TRUE(find_factor("data_hash")->is_text()) << "digits do not make a hash a number";
}

// Every other column, and why it is no factor. A new column belongs into one of the two lists.
TEST(Factor, EveryColumnIsAFactorOrIsKnownNotToBeOne) {
  const std::set<std::string> others{
      // what laws see
      "N", "N_total", "D", "P_w", "P_a", "P_kv", "P_post", "method", "group",
      // what was measured
      "loss", "loss_standard_error", "delta", "standard_error", "measured_delta",
      "measured_standard_error", "kl", "same_top", "bits_per_byte", "flagged", "storage_bits",
      "seconds", "tokens_per_second", "train_loss", "spent_flop", "weights_hash",
      // replicates
      "seed", "calibration_seed",
      // names, marks, and rows that are left out
      "run", "status", "unstable", "tuning", "bitlaw_version", "format_a_post", "format_kv_post",
      // width / head_width
      "heads"};
  for (const TidyColumn& column : tidy_columns()) {
    EXPECT_NE(find_factor(column.name) != nullptr, others.count(column.name) > 0) << column.name;
  }
}

TEST(Factor, UsualNamesAreOfOneFactor) {
  std::set<std::string> seen;
  for (const Factor& factor : factors()) {
    EXPECT_TRUE(seen.insert(plain_name(factor.name)).second) << factor.name;
    for (const std::string& name : usual_names(factor.name)) {
      EXPECT_EQ(plain_name(name), name);
      EXPECT_TRUE(seen.insert(name).second) << name;
      EXPECT_EQ(factor_called(name), factor.name);
    }
  }
  EXPECT_EQ(factor_called("N"), "");
  EXPECT_EQ(factor_called("seed"), "") << "a seed is no factor";
}

TEST(Factor, NamesAreWholeOrTheFirstWords) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(factors_named({"lr", "batch"}), (Names{"lr", "batch_tokens"}));
  EXPECT_EQ(factors_named({"granularity"}),
            (Names{"granularity_w", "granularity_a", "granularity_kv", "granularity_q"}));
  EXPECT_EQ(factors_named({"format"}),
            (Names{"format", "format_w", "format_a", "format_kv", "format_q", "format_post"}));
  EXPECT_EQ(factors_named({"calibration"}), (Names{"calibration_tokens", "calibration_hash"}));
  EXPECT_EQ(factors_named({}), Names{});
  EXPECT_EQ(factors_named({"all"}).size(), factors().size());
  EXPECT_EQ(factors_named({"learning_rate", " Batch Size", "dataset"}),
            (Names{"lr", "batch_tokens", "data_hash"}));
  EXPECT_EQ(factors_named({" ALL"}).size(), factors().size());
  EXPECT_EQ(factors_named({"p"}), (Names{"P_q", "P_k", "P_v"}));
  EXPECT_EQ(factors_named({"decay"}), Names{"decay"}) << "a whole name comes first";
  try {
    factors_named({"extra_nrom"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "pool: unknown factor 'extra_nrom'; did you mean 'extra_norm'?");
  }
  EXPECT_THROW(factors_named({"seed"}), Error) << "a seed is no factor";
}

}  // namespace
}  // namespace bitlaw
