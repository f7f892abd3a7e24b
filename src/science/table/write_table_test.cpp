#include "table/write_table.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "table/table.h"

namespace bitlaw {
namespace {

// A run, a run with everything, and a cell of it.
std::vector<Observation> written_rows() {
  Observation plain;
  plain.params = 1e6;
  plain.tokens = 3.5e8;
  plain.loss_nats = 0.1 + 0.2;
  plain.cluster = "a,\"b";
  Observation full = plain;
  full.params_total = 2e6;
  full.unique_tokens = 1e8;
  full.bits_weights = 4;
  full.exponent_bits = 2;
  full.mantissa_bits = 1;
  full.group = 32;
  full.loss_standard_error = 1e-3;
  full.precision = "fp4";
  full.backward = "bwd";
  full.gaussian_error_weights = 0.011;
  full.cluster = "c";
  Observation cell = plain;
  cell.bits_post = 3;
  cell.delta_nats = 0.05;
  cell.delta_standard_error = 0.002;
  cell.method = "gptq-g128";
  return {plain, full, cell};
}

TEST(WriteTable, IsReadBackAsItWasWritten) {
  const std::string csv = table_to_csv(written_rows());
  EXPECT_EQ(table_to_csv(read_table(csv, "t").runs), csv);
  const std::string json = dump_json(table_to_json(written_rows()));
  EXPECT_EQ(dump_json(table_to_json(read_table(json, "t").runs)), json);
}

// A study of a law with bits of every part is drawn, written and fitted again.
TEST(WriteTable, PartsWithBitsOfTheirOwnAreKept) {
  Observation run = written_rows()[0];
  run.bits_keys = 4, run.bits_values = 8, run.bits_kv = 4;
  run.bits_embedding = 6, run.bits_head = 16;
  Observation plain = written_rows()[0];
  const Observation back = read_table(table_to_csv({run, plain}), "t").runs.at(0);
  EXPECT_EQ(back.bits_keys, 4);
  EXPECT_EQ(back.bits_values, 8);
  EXPECT_EQ(back.bits_kv, 4);
  EXPECT_EQ(back.bits_embedding, 6);
  EXPECT_EQ(back.bits_head, 16);
  EXPECT_EQ(table_to_csv({plain}).find("P_k,"), std::string::npos);
}

TEST(WriteTable, ColumnsThatNoRowHasAreLeftOut) {
  EXPECT_EQ(table_to_csv({written_rows()[0]}),
            "run,N,D,P_w,P_a,P_kv,loss\n\"a,\"\"b\",1000000,350000000,16,16,16,"
            "0.30000000000000004\n");
}

}  // namespace
}  // namespace bitlaw
