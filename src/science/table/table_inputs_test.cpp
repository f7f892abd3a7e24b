#include "table/table_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "table/factors.h"
#include "table/replicates.h"
#include "table/table.h"

namespace bitlaw {
namespace {

TableOptions with_experts() {
  TableOptions options;
  options.inputs = {{"experts", "num_experts"}};
  return options;
}

TEST(TableInputs, AColumnIsReadByItsNameOrTheInputs) {
  for (const char* name : {"num_experts", "experts"}) {
    const Table table =
        read_table(std::string("N,D,loss,") + name + "\n1e8,2e9,3,4\n1e8,4e9,2.9,1k\n", "t.csv",
                   with_experts());
    EXPECT_EQ(table.runs[0].input("num_experts"), 4) << name;
    EXPECT_EQ(table.runs[1].input("num_experts"), 1000) << name;
  }
  try {
    read_table("N,D,loss,num_expert\n1e8,2e9,3,4\n", "t.csv", with_experts());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("num_expert"), std::string::npos) << error.what();
  }
}

TEST(TableInputs, RowsWithoutAValueAreLeftOutAndCounted) {
  const std::string text = "N,D,loss,num_experts\n1e8,2e9,3,4\n1e8,4e9,2.9,\n1e8,8e9,2.8,NA\n";
  const Table table = read_table(text, "t.csv", with_experts());
  EXPECT_EQ(table.runs.size(), 1U);
  EXPECT_EQ(table.without_input.at("num_experts"), 2);
  bool said = false;
  for (const std::string& note : table.notes)
    said |= note.find("2 rows have no value of num_experts") != std::string::npos;
  EXPECT_TRUE(said);
  TableOptions planned = with_experts();
  planned.measured = false;
  EXPECT_EQ(read_table(text, "t.csv", planned).runs.size(), 3U) << "planned runs stay";
}

TEST(TableInputs, RowsThatDifferInOneAreNoReplicates) {
  const std::string text = "N,D,loss,num_experts\n1e8,2e9,3,4\n1e8,2e9,2.9,8\n1e8,2e9,3.01,4\n";
  const Table table = read_table(text, "t.csv", with_experts());
  EXPECT_EQ(number_settings(table.runs), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(count_repeats(table.runs).replicates, 2);
  EXPECT_NE(table.factors[0].precision, table.factors[1].precision);
}

TEST(TableInputs, AFactorThatALawTakesMayDiffer) {
  const BoundLaw law = formula_law({.formula = "E + A/N^alpha + k*lr",
                                    .constants = parse_law_constants("k=0..1", "constants"),
                                    .inputs = parse_law_inputs("lr", "inputs")});
  const std::vector<std::string> factors = modelled_factors(law.law());
  EXPECT_NE(std::find(factors.begin(), factors.end(), "lr"), factors.end());
}

// A law without N and D needs neither column; where they are absent they stand in, so that rows of equal
// inputs are still replicates.
TEST(TableInputs, SizesMayBeAbsentForALawWithoutThem) {
  const BoundLaw law = formula_law({.formula = "E + A/x^a",
                                    .constants = parse_law_constants("a=0.001..3", "constants"),
                                    .inputs = parse_law_inputs("x=budget", "inputs")});
  EXPECT_FALSE(law.law().needs_sizes);
  EXPECT_TRUE(formula_law({.formula = "E + A/x^a*N",
                           .constants = parse_law_constants("a=0.001..3", "constants"),
                           .inputs = parse_law_inputs("x=budget", "inputs")})
                  .law()
                  .needs_sizes);
  EXPECT_TRUE(formula_law({.formula = "E + A/N^alpha"}).law().needs_sizes);
  const std::string text = "budget,loss\n6e18,3.5\n6e20,3.1\n6e20,3.11\n";
  EXPECT_THROW(read_table(text, "t"), Error);
  const TableOptions options{.inputs = inputs_of({&law.law()}), .sizes_optional = true};
  const Table table = read_table(text, "t", options);
  ASSERT_EQ(table.runs.size(), 3U);
  EXPECT_TRUE(table.runs[0].stand_in_sizes);
  EXPECT_DOUBLE_EQ(table.runs[0].params, 1e9);
  EXPECT_EQ(count_repeats(table.runs).replicates, 2);
  EXPECT_FALSE(
      read_table("N,D,budget,loss\n1e8,2e9,6e18,3.5\n", "t", options).runs[0].stand_in_sizes);
  EXPECT_THROW(read_table("budget,loss\n0,3.5\n", "t", options), Error);
}

}  // namespace
}  // namespace bitlaw
