// P_k, P_v, P_emb and P_head in tables.
#include <gtest/gtest.h>

#include <cmath>

#include "table/observation_columns.h"
#include "table/table.h"

namespace bitlaw {
namespace {

Table table_of_parts(const std::string& text) {
  return read_table(text, "t.csv");
}

TEST(OwnPartColumns, EqualKeysAndValuesAreOnePart) {
  const Table both = table_of_parts("N,D,loss,P_kv,P_k,P_v\n1e8,1e10,3,4,4,4\n1e8,2e10,2.9,,,\n");
  EXPECT_EQ(both.runs[0].bits_kv, 4);
  EXPECT_TRUE(std::isnan(both.runs[0].bits_keys));
  EXPECT_TRUE(std::isnan(both.runs[1].bits_values));
  const Table alone = table_of_parts("N,D,loss,P_k,P_v\n1e8,1e10,3,4,4\n1e8,2e10,2.9,16,16\n");
  EXPECT_EQ(alone.runs[0].bits_kv, 4);
}

TEST(OwnPartColumns, DifferentOnesAreKeptAndSaid) {
  const Table table = table_of_parts(
      "N,D,loss,key_bits,value_bits,emb_bits\n1e8,1e10,3,4,8,6\n1e8,2e10,2.9,16,16,\n");
  EXPECT_EQ(table.runs[0].bits_keys, 4);
  EXPECT_EQ(table.runs[0].bits_values, 8);
  EXPECT_EQ(table.runs[0].bits_kv, 4) << "the fewer, for laws that see one part";
  EXPECT_EQ(table.runs[0].bits_embedding, 6);
  EXPECT_TRUE(std::isnan(table.runs[0].bits_head));
  bool said = false;
  for (const std::string& note : table.notes)
    said |= note.find("kumar-parts sees both") != std::string::npos;
  EXPECT_TRUE(said);
  EXPECT_TRUE(is_observation_column("P_k"));
}

}  // namespace
}  // namespace bitlaw
