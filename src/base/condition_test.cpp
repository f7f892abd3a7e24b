#include "base/condition.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

const std::vector<std::string> kColumns{"N", "D", "P_w", "dataset", "eval/loss"};

Condition condition(const std::string& text, ColumnPlace::Holds holds = ColumnPlace::kFields) {
  Condition out("where", text);
  out.find(
      [&](const std::string& name) -> std::optional<ColumnPlace> {
        for (size_t i = 0; i < kColumns.size(); ++i) {
          if (name == kColumns[i]) return ColumnPlace{i, holds};
        }
        return std::nullopt;
      },
      kColumns);
  return out;
}

bool holds(const std::string& text, const std::vector<std::string>& row) {
  const Condition tested = condition(text);
  return tested.holds(tested.field_of([&](size_t column) { return Field::of_text(row[column]); }));
}

struct Case {
  const char* text;
  bool holds;
};

TEST(Condition, HoldsForTheRowsItNames) {
  const std::vector<std::string> row{"3e8", "6000000000", "4", "c4", ""};
  for (const Case& each :
       {Case{"N=3e8", true},     {"N=300000000", true},      {"N=300M", true},
        {"N=0.3B", true},        {"N!=3e8", false},          {"N==3e8", true},
        {"N=300000001", false},  {"N>3e8", false},           {"N>=3e8", true},
        {"N<3e8", false},        {"N<=3e8", true},           {"N > 1e8", true},
        {"N=1e6..3e8", true},    {"N=3e8..4e8", true},       {"N=3.1e8..4e8", false},
        {"N=1,2,3e8", true},     {"N!=1e6..3e8", false},     {"P_w=3,4", true},
        {"P_w=3..5,8", true},    {"P_w=1..3,8", false},      {"P_w=4.0", true},
        {"dataset=c4", true},    {"dataset = c4,rpj", true}, {"dataset!=c4,rpj", false},
        {"dataset=C4", false},   {"dataset>3", false},       {"dataset<3", false},
        {"dataset=1..9", false}, {"eval/loss=", true},       {"eval/loss!=", false},
        {"dataset=", false},     {"eval/loss!=nan,", false}, {"D/N=20", true},
        {"D/N>20", false},       {"D/N=19..21", true},       {"D / N<1e9", true},
        {"eval/loss<1", false}})
    EXPECT_EQ(holds(each.text, row), each.holds) << each.text;
}

// A quotient is rounded, and so is a number that was computed: they still are what they were meant.
TEST(Condition, NumbersAreEqualToTwelveDigits) {
  EXPECT_TRUE(holds("D/N=0.3", {"10", "3.0000000000000004", "", "", ""}));
  EXPECT_TRUE(holds("N=3e8", {"299999999.99999994", "", "", "", ""}));
  EXPECT_FALSE(holds("N>3e8", {"300000000.00000006", "", "", "", ""}));
  EXPECT_FALSE(holds("N=3e8", {"300000000.1", "", "", "", ""}));
}

TEST(Condition, EveryFieldMeetsASignOrItsOpposite) {
  for (const char* field : {"3", "4", "5", "", "nan", "text"}) {
    for (const char* value : {"4", "3,4", "4..5", ""}) {
      const std::vector<std::string> row{field, "", "", "", ""};
      EXPECT_NE(holds(std::string("N=") + value, row), holds(std::string("N!=") + value, row));
    }
    const bool number = field[0] >= '0' && field[0] <= '9';
    const std::vector<std::string> row{field, "", "", "", ""};
    EXPECT_EQ(holds("N<4", row) + holds("N>=4", row), number) << field;
    EXPECT_EQ(holds("N<=4", row) + holds("N>4", row), number) << field;
  }
}

TEST(Condition, FieldsOfNumbersAloneHaveNoText) {
  const auto holds_for = [](const std::string& text, double number) {
    return condition(text).holds(Field::of_number(number));
  };
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(holds_for("P_w=4", 4));
  EXPECT_FALSE(holds_for("P_w=", 4));
  EXPECT_TRUE(holds_for("P_w=", none));
  EXPECT_FALSE(holds_for("P_w=4", none));
  EXPECT_TRUE(holds_for("P_w!=4", none));
  EXPECT_FALSE(holds_for("P_w=inf", 4));
}

TEST(Condition, ErrorsPointAtWhatIsWrong) {
  for (const auto& [text, message] : {
           std::pair("dataset",
                     "where 'dataset': has no sign; write COLUMN=VALUE, as in P_w=3,4, "
                     "N=1e6..3e8, D/N>20 or method!=none"),
           {"", "where '': has no sign"},
           {"=c4", "where '=c4': there is no column before '='"},
           {"dataset=!c4", "where 'dataset=!c4': '=!' is not one of =, !=, <, <=, >, >="},
           {"N!3", "'!' is not one of"},
           {"N>many", "where 'N>many': 'many' is not a number, and '>' needs one"},
           {"N<1,2", "'1,2' is not a number, and '<' needs one"},
           {"N<1..2", "'1..2' is not a number"},
           {"N>", "'' is not a number"},
           {"N=3..2", "the range '3..2' ends below its start"},
           {"datset=c4",
            "where 'datset=c4': unknown column 'datset'; did you mean 'dataset'? The columns are "
            "N, D, P_w, dataset, eval/loss"},
           {"something=c4",
            "unknown column 'something'; the columns are N, D, P_w, dataset, eval/loss"},
           {"D/M>3", "unknown column 'M'"},
           {"p_w/N>3", "unknown column 'p_w'; did you mean 'P_w'?"},
           {"D/N=c4", "'c4' is not a number, and D/N holds numbers"},
       }) {
    try {
      condition(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
    }
  }
}

TEST(Condition, ColumnsOfOneTypeRefuseTheOther) {
  EXPECT_THROW(condition("P_w=four", ColumnPlace::kNumbers), Error);
  EXPECT_THROW(condition("P_w=four", ColumnPlace::kNumbersOrNothing), Error);
  EXPECT_THROW(condition("P_w=3,", ColumnPlace::kNumbers), Error);
  EXPECT_NO_THROW(condition("P_w=3,", ColumnPlace::kNumbersOrNothing));
  EXPECT_THROW(condition("dataset<4", ColumnPlace::kText), Error);
  EXPECT_THROW(condition("D/N=4", ColumnPlace::kText), Error);
  EXPECT_NO_THROW(condition("dataset!=4", ColumnPlace::kText));
}

}  // namespace
}  // namespace bitlaw
