#include "sweep/grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/config.h"
#include "base/error.h"
#include "base/json.h"

namespace bitlaw {
namespace {

std::vector<Cell> cells_of(const std::string& toml) {
  std::vector<Cell> cells;
  expand_grid(parse_toml(toml, "study.toml"), Json::object(), Json::object(), "study.toml",
              kMostCells, cells);
  return cells;
}

std::string error_of_grid(const std::string& toml) {
  try {
    cells_of(toml);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const std::string kRate = "'train.lr' = { from = 1e-3, to = 0.1, scale = 'log' }\n";
const std::string kBatch =
    "train.batch_tokens = { from = 512, to = 8192, scale = 'log', multiple = 128 }\n";

TEST(Grid, RangesAreSampledForEachCombinationOfTheLists) {
  const auto cells = cells_of("points = 16\n" + kRate + kBatch + "'train.seed' = [1, 2]\n");
  ASSERT_EQ(cells.size(), 32u);
  std::set<double> rates;
  for (const Cell& cell : cells) {
    const double rate = cell.config["train"]["lr"];
    EXPECT_GE(rate, 1e-3);
    EXPECT_LE(rate, 0.1);
    rates.insert(rate);
    EXPECT_TRUE(cell.config["train"]["batch_tokens"].is_number_integer());
    EXPECT_EQ(cell.config["train"]["batch_tokens"].get<int64_t>() % 128, 0);
    EXPECT_NE(cell.label.find("train.lr="), std::string::npos);
  }
  EXPECT_EQ(rates.size(), 16u) << "both seeds have the same points";
}

// 64 points in two dimensions, in 4 x 4 boxes: 4 in each if they were perfectly even. Of random
// points, one such draw in a thousand has them all between 2 and 7.
TEST(Grid, EvenPointsFillEveryCorner) {
  int count[4][4] = {};
  for (const Cell& cell :
       cells_of("points = 64\n'a' = { from = 0, to = 4 }\n'b' = { from = 0, to = 4 }")) {
    const auto box = [&](const char* key) {
      return std::min(3, static_cast<int>(cell.config[key].get<double>()));
    };
    ++count[box("a")][box("b")];
  }
  for (const auto& row : count) {
    for (const int each : row) {
      EXPECT_GE(each, 2);
      EXPECT_LE(each, 7);
    }
  }
}

TEST(Grid, MorePointsLeaveTheOthersWhereTheyAre) {
  for (const char* sampling : {"even", "random"}) {
    const std::string rest = kRate + kBatch + "sampling = '" + sampling + "'\n";
    const auto few = cells_of("points = 5\n" + rest), many = cells_of("points = 50\n" + rest);
    for (size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].config, many[i].config);
  }
}

TEST(Grid, SeedsGiveOtherPoints) {
  for (const char* sampling : {"even", "random"}) {
    const std::string rest = "points = 3\n" + kRate + "sampling = '" + sampling + "'\n";
    EXPECT_NE(cells_of(rest)[0].config, cells_of(rest + "sampling_seed = 2")[0].config);
  }
}

TEST(Grid, SaysWhatIsWrongWithARange) {
  EXPECT_EQ(error_of_grid(kRate),
            "study.toml: [[grid]] has a range; say how many points of it to take, for example "
            "points = 64");
  EXPECT_NE(error_of_grid("points = 4").find("has points but no range"), std::string::npos);
  EXPECT_NE(error_of_grid("points = 0\n" + kRate).find("points must be 1..100000"),
            std::string::npos);
  EXPECT_NE(
      error_of_grid("points = 4\na = { from = 2, to = 1 }").find("from = 2 must be below to = 1"),
      std::string::npos);
  EXPECT_NE(error_of_grid("points = 4\na = { from = 0, to = 1, scale = 'log' }").find("above 0"),
            std::string::npos);
  EXPECT_NE(error_of_grid("points = 4\na = { from = 0, to = 1, scale = 'logg' }")
                .find("did you mean 'log'"),
            std::string::npos);
  EXPECT_NE(
      error_of_grid("points = 4\na = { from = 1, to = 2, multiple = 5 }").find("no multiple of 5"),
      std::string::npos);
}

TEST(Grid, TooManyCellsAreRefusedBeforeTheyAreMade) {
  const std::string hundred = [] {
    std::string list = "[0";
    for (int i = 1; i < 100; ++i) list += "," + std::to_string(i);
    return list + "]";
  }();
  EXPECT_NE(error_of_grid("a=" + hundred + "\nb=" + hundred + "\nc=" + hundred)
                .find("has 1e+06 cells, more than 100000"),
            std::string::npos);
}

TEST(Grid, ABundleMaySetNoKeyOfTheGrid) {
  const Json variants{{"size", {{"a", {{"model", {{"width", 32}}}}}}}};
  for (const Json& grid :
       {Json{{"size", {"a"}}, {"model.width", {64}}},
        Json{{"size", {"a"}}, {"points", 2}, {"model.width", {{"from", 16}, {"to", 64}}}}}) {
    std::vector<Cell> cells;
    try {
      expand_grid(grid, Json::object(), variants, "study.toml", kMostCells, cells);
      ADD_FAILURE() << dump_json(grid);
    } catch (const Error& error) {
      EXPECT_EQ(
          std::string(error.what()),
          "study.toml: model.width is set by the [[grid]] and by size = a of [variants.size]; "
          "leave out one of them");
    }
  }
}

}  // namespace
}  // namespace bitlaw
