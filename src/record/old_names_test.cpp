#include "record/old_names.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "record/tidy_row.h"

namespace bitlaw {
namespace {

// `bitlaw runs --columns` of versions 0.1 and 0.2.
constexpr const char* kVersion02 =
    "run status N N_total D P_w P_a P_kv P_q P_post loss loss_standard_error delta standard_error "
    "measured_delta measured_standard_error kl same_top bits_per_byte method group flagged "
    "calibration_seed format_w format_a format_kv format_q format_post format_a_post "
    "format_kv_post "
    "storage_bits granularity_w granularity_a granularity_kv schedule seed lr batch_tokens width "
    "layers heads sequence vocabulary seconds tokens_per_second data_hash";

TEST(OldNames, OnlyOurOwnTablesHaveThem) {
  EXPECT_TRUE(is_table_of_version_0_2(split(kVersion02, ' ')));
  std::vector<std::string> ours;
  for (const TidyColumn& column : tidy_columns()) ours.emplace_back(column.name);
  EXPECT_FALSE(is_table_of_version_0_2(ours)) << "of this version";
  EXPECT_FALSE(is_table_of_version_0_2({"N", "D", "loss", "granularity_a"})) << "of others";
}

TEST(OldNames, ConditionsAreReadWithANote) {
  std::vector<std::string> notes;
  EXPECT_EQ(with_current_scales("condition",
                                {"granularity_a=tensor,token", "granularity_kv != per-tensor",
                                 "granularity_w=tensor", "granularity_a=batch", "N>1e6"},
                                notes),
            (std::vector<std::string>{"granularity_a=sequence,token", "granularity_kv!=sequence",
                                      "granularity_w=tensor", "granularity_a=batch", "N>1e6"}));
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0],
            "granularity_a = tensor means one scale per sequence, whose name is now 'sequence'; "
            "'batch' is one scale for all sequences of a step");
}

}  // namespace
}  // namespace bitlaw
