#include "table/warnings.h"

#include <gtest/gtest.h>

#include <cmath>

#include "table/replicates.h"

namespace bitlaw {
namespace {

// A design about which there is nothing to say: three sizes, three lengths, two precisions.
std::vector<Observation> good_rows() {
  std::vector<Observation> rows;
  for (const double N : {1e7, 1e8, 1e9}) {
    for (const double D : {1e9, 1e10, 1e11}) {
      for (const double bits : {4.0, 16.0}) {
        Observation row;
        row.params = N;
        row.tokens = D;
        row.bits_weights = bits;
        row.loss_nats = 1.7 + 400 * std::pow(N, -0.34) + 400 * std::pow(D, -0.28) + 0.4 / bits;
        rows.push_back(row);
      }
    }
  }
  return rows;
}

template <class Change>
std::vector<std::string> warnings_after(const Change& change) {
  std::vector<Observation> rows = good_rows();
  change(rows);
  return table_warnings(rows);
}

template <class Change>
void expect_only(const std::string& part, const Change& change) {
  const std::vector<std::string> warnings = warnings_after(change);
  ASSERT_EQ(warnings.size(), 1u) << part;
  EXPECT_NE(warnings[0].find(part), std::string::npos) << warnings[0];
}

void for_each(std::vector<Observation>& rows, void (*change)(Observation&)) {
  for (Observation& row : rows) change(row);
}

TEST(TableWarnings, AGoodDesignHasNone) {
  EXPECT_EQ(table_warnings(good_rows()), std::vector<std::string>{});
  EXPECT_EQ(table_warnings({}), std::vector<std::string>{});
  EXPECT_EQ(nothing_to_fit(good_rows()), "");
}

TEST(TableWarnings, UnitsOfSizesAndTokens) {
  expect_only("Every N is below 10000 parameters",
              [](auto& rows) { for_each(rows, [](Observation& row) { row.params /= 1e6; }); });
  expect_only("Every D is below 1000000 tokens",
              [](auto& rows) { for_each(rows, [](Observation& row) { row.tokens /= 1e9; }); });
  // Large enough by themselves, but not together.
  expect_only("D/N is 1e+07", [](auto& rows) {
    for_each(rows, [](Observation& row) { row.params *= 1e-3, row.tokens *= 1e2; });
  });
  expect_only("D/N is 0.001", [](auto& rows) {
    for_each(rows, [](Observation& row) { row.params *= 1e3, row.tokens *= 1e-2; });
  });
  // One row below the line is no unit.
  EXPECT_TRUE(warnings_after([](auto& rows) { rows[0].params = 5e3; }).empty());
}

TEST(TableWarnings, UnitsOfLosses) {
  expect_only("2 of 18 losses exceed 12.5", [](auto& rows) {
    rows[0].loss_nats = 20;
    rows[1].loss_nats = 40;
  });
  expect_only("Every loss is below 1.3",
              [](auto& rows) { for_each(rows, [](Observation& row) { row.loss_nats *= 0.2; }); });
  // Rows without a loss are not small ones.
  EXPECT_TRUE(warnings_after([](auto& rows) {
                for_each(rows, [](Observation& row) { row.loss_nats = kUnknown; });
                rows.resize(2);
                rows[0].params = 1e6;
                rows[0].tokens = 1e8;
              }).empty());
}

TEST(TableWarnings, RowsThatRepeatOthers) {
  expect_only("1 row repeats an earlier one", [](auto& rows) { rows.push_back(rows[3]); });
  expect_only("2 rows repeat earlier ones", [](auto& rows) {
    const Observation row = rows[3];
    rows.push_back(row);
    rows.push_back(row);
  });
  expect_only("2 rows are replicates", [](auto& rows) {
    rows.push_back(rows[3]);
    rows.back().loss_nats += 0.01;
  });
}

TEST(TableWarnings, DuplicatesAreNeitherTheFirstNorReplicates) {
  std::vector<Observation> rows = good_rows();
  std::vector<bool> expected(rows.size(), false);
  rows.push_back(rows[3]);
  rows.push_back(rows[3]);
  rows.back().loss_nats += 0.01;
  rows.push_back(rows[3]);
  expected.insert(expected.end(), {true, false, true});
  EXPECT_EQ(is_repeated(rows), expected);
  EXPECT_EQ(count_repeats(rows).duplicates, 2);
  EXPECT_EQ(count_repeats(rows).replicates, 2);
}

TEST(TableWarnings, OneSizeOneLength) {
  expect_only("Every row has N = 100 M", [](auto& rows) {
    std::erase_if(rows, [](const Observation& row) { return row.params != 1e8; });
  });
  expect_only("Every row has D = 10 B", [](auto& rows) {
    std::erase_if(rows, [](const Observation& row) { return row.tokens != 1e10; });
  });
}

TEST(TableWarnings, TokensInStepWithParameters) {
  expect_only("D is nearly proportional to N", [](auto& rows) {
    std::erase_if(rows, [](const Observation& row) { return row.tokens != 100 * row.params; });
  });
  // Along the diagonal of the design and one step off it, it can be told.
  EXPECT_TRUE(warnings_after([](auto& rows) {
                std::erase_if(rows, [](const Observation& row) {
                  return row.tokens < 99 * row.params || row.tokens > 1001 * row.params;
                });
              }).empty());
}

TEST(TableWarnings, OnePrecision) {
  const auto only_four = [](auto& rows) {
    std::erase_if(rows, [](const Observation& row) { return row.bits_weights != 4; });
  };
  expect_only("one precision, W4A16", only_four);
  expect_only("one precision, BF16", [](auto& rows) {
    std::erase_if(rows, [](const Observation& row) { return row.bits_weights == 4; });
  });
  std::vector<Observation> rows = good_rows();
  only_four(rows);
  EXPECT_TRUE(table_warnings(rows, false).empty()) << "a law without bits does not care";
  rows[0].bits_post = 3;
  EXPECT_TRUE(table_warnings(rows).empty()) << "post-training precision varies";
  rows = good_rows();
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].bits_weights = kUnquantizedBits;
    rows[i].precision = i % 2 ? "QuEST" : "BF16";
  }
  EXPECT_TRUE(table_warnings(rows).empty()) << "classes differ";
}

TEST(TableWarnings, NothingToFit) {
  std::vector<Observation> rows(5, good_rows()[0]);
  EXPECT_NE(nothing_to_fit(rows).find("all 5 rows have the same N, D and precision"),
            std::string::npos);
  rows[4].tokens *= 2;
  EXPECT_EQ(nothing_to_fit(rows), "");
  rows.resize(1);
  EXPECT_EQ(nothing_to_fit(rows), "") << "one row is too few, which the fit says";
}

}  // namespace
}  // namespace bitlaw
