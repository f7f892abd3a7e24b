#include "record/tidy_row.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace bitlaw {
namespace {

TidyRow row() {
  TidyRow row;
  row.run = "a,\"b";
  row.status = "finished";
  row.N = 1000;
  row.P_w = 16;
  row.loss = 0.1 + 0.2;
  row.method = "none";
  return row;
}

// Kept: what reads these columns elsewhere knows them by name and place.
TEST(TidyRow, TheColumnsAndTheirTypes) {
  std::string all;
  for (const TidyColumn& column : tidy_columns()) {
    const char type = column.type == TidyColumn::kText    ? 't'
                      : column.type == TidyColumn::kWhole ? 'w'
                                                          : 'r';
    all += std::string(column.name) + ":" + type + " ";
    EXPECT_STRNE(column.help, "") << column.name;
  }
  EXPECT_EQ(all,
            "run:t status:t N:w N_total:w D:w P_w:r P_a:r P_kv:r P_q:r P_post:r loss:r "
            "loss_standard_error:r delta:r standard_error:r measured_delta:r "
            "measured_standard_error:r kl:r same_top:r bits_per_byte:r method:t group:w flagged:w "
            "calibration_seed:w format_w:t format_a:t format_kv:t format_q:t format_post:t "
            "format_a_post:t format_kv_post:t storage_bits:r granularity_w:t granularity_a:t "
            "granularity_kv:t schedule:t seed:w lr:r batch_tokens:w width:w layers:w heads:w "
            "sequence:w vocabulary:w seconds:r tokens_per_second:r data_hash:t P_k:r P_v:r "
            "unique_tokens:w epochs:r steps:w peak_lr:r weight_decay:r warmup:r decay:r "
            "final_rate:r optimizer:t beta1:r beta2:r epsilon:r clip:r extra_norm:t tied_head:t "
            "head_width:w kv_heads:w hidden:w gradient_format:t validation_hash:t "
            "validation_tokens:w engine:t unstable:w rope_theta:r "
            "norm_epsilon:r validation_part:t run_fraction:r train_loss:r granularity_q:t "
            "evaluation_tokens:w evaluation_hash:t calibration_tokens:w calibration_hash:t "
            "first_damping:r tuning:w spent_flop:r weights_hash:t bitlaw_version:t ");
}

TEST(TidyRow, CsvKeepsEveryDigitAndQuotes) {
  const std::string csv = tidy_to_csv({row()});
  EXPECT_EQ(csv.substr(0, 23), "run,status,N,N_total,D,");
  EXPECT_NE(csv.find("\n\"a,\"\"b\",finished,1000,,,16.0,,,,,0.30000000000000004,,"),
            std::string::npos)
      << csv;
}

TEST(TidyRow, JsonHasEveryColumnAndNullWhereNothingApplies) {
  const Json document = tidy_to_json({row()});
  ASSERT_EQ(document.size(), 1u);
  EXPECT_EQ(document[0].size(), tidy_columns().size());
  EXPECT_EQ(document[0]["N"], 1000);
  EXPECT_EQ(dump_json(document[0]["P_w"]), "16.0");
  EXPECT_TRUE(document[0]["D"].is_null());
  EXPECT_TRUE(document[0]["delta"].is_null());
  EXPECT_TRUE(document[0]["schedule"].is_null());
}

TEST(TidyRow, ComesBackFromCsv) {
  const std::string csv = tidy_to_csv({row(), TidyRow{}});
  EXPECT_EQ(tidy_to_csv(tidy_from_csv(csv, "t.csv")), csv);
  // Columns in another order, some missing, one unknown.
  const std::vector<TidyRow> some = tidy_from_csv("loss,N,mine,run\n3.5,7,x,a\n", "t.csv");
  ASSERT_EQ(some.size(), 1u);
  EXPECT_EQ(some[0].loss, 3.5);
  EXPECT_EQ(some[0].N, 7);
  EXPECT_EQ(some[0].run, "a");
  EXPECT_TRUE(std::isnan(some[0].P_w));
}

TEST(TidyRow, AValueOfAnotherTypeIsNamed) {
  for (const char* csv : {"run,N\na,1\nb,many\n", "run,N\na,1\nb,1.5\n"}) {
    try {
      tidy_from_csv(csv, "t.csv");
      FAIL() << csv;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("t.csv: row 2, column N: "), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace bitlaw
