#include "table/row_filter.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "table/precision_columns.h"

namespace bitlaw {
namespace {

const char* const kTable =
    "id,N,dataset,w_bits,loss\n"
    "1,1e8,c4,4,3.1\n"
    "2,1e8,c4,16,3.0\n"
    "3,2e8,rpj,4.0,nan\n"
    "4,2e8,rpj,16,\n";

// The ids that are left, or the Error's sentence.
std::string kept(const std::vector<std::string>& conditions, std::vector<std::string> notes = {},
                 std::vector<std::string>* told = nullptr) {
  RawTable table = read_raw_table(kTable, "t");
  const Columns columns(table, "t", {}, notes);
  try {
    const std::map<std::string, double> scale;
    RowReader reader(table, columns, scale, "t");
    const int gone = keep_rows(
        table, columns, conditions, "t",
        [&](const RawRow& row) {
          reader.start(row);
          Observation run;
          PrecisionSources sources;
          read_precision(reader, run, sources);
          return run;
        },
        told ? *told : notes);
    EXPECT_EQ(gone + table.rows.size(), 4u);
  } catch (const Error& error) {
    return error.what();
  }
  std::string ids;
  for (const RawRow& row : table.rows) ids += row.at(0).text();
  return ids;
}

TEST(RowFilter, ConditionsKeepRows) {
  EXPECT_EQ(kept({}), "1234");
  EXPECT_EQ(kept({"dataset=c4"}), "12");
  EXPECT_EQ(kept({"dataset == c4"}), "12");
  EXPECT_EQ(kept({"dataset!=c4"}), "34");
  EXPECT_EQ(kept({"dataset=c4,rpj"}), "1234");
  EXPECT_EQ(kept({"w_bits=4"}), "13") << "4 and 4.0 are one number";
  EXPECT_EQ(kept({"P_w=4"}), "13") << "our name of the column";
  EXPECT_EQ(kept({"w_bits=4", "dataset=rpj"}), "3");
  EXPECT_EQ(kept({"loss!=nan,"}), "12") << "neither nan nor empty";
  EXPECT_EQ(kept({"loss!="}), "123");
  EXPECT_EQ(kept({"loss="}), "4");
  EXPECT_EQ(kept({"N>1e8"}), "34");
  EXPECT_EQ(kept({"N>=1e8"}), "1234");
  EXPECT_EQ(kept({"N<2e8"}), "12");
  EXPECT_EQ(kept({"N<=100000000"}), "12");
  EXPECT_EQ(kept({"N=1.5e8..3e8"}), "34");
  EXPECT_EQ(kept({"N=100M"}), "12");
  EXPECT_EQ(kept({"N/P_w>2e7"}), "13") << "a quotient, by either name";
  EXPECT_EQ(kept({"loss>0"}), "12") << "what is no number is not above 0";
  EXPECT_EQ(kept({"dataset!=nowhere"}), "1234");
}

// A scale that nothing shares is an empty field: to ask for one value leaves such rows out, too.
TEST(RowFilter, RowsThatHaveNothingThereAreTold) {
  std::vector<std::string> told;
  EXPECT_EQ(kept({"loss=3.1"}, {}, &told), "1");
  EXPECT_EQ(told, (std::vector<std::string>{
                      "1 of the rows that --where loss=3.1 leaves out has nothing there; loss=3.1, "
                      "(with the comma) keeps it."}));
  told.clear();
  EXPECT_EQ(kept({"loss=3.1,"}, {}, &told), "14");
  EXPECT_EQ(kept({"loss!=3.1", "dataset=c4", "N>1e7"}, {}, &told), "2");
  EXPECT_EQ(kept({"loss=3.1", "id=1"}, {}, &told), "1");
  EXPECT_EQ(told.size(), 1u) << "only where a field is empty and no condition asks for that";
}

// What --hold-out calls a row by, --where does, too.
TEST(RowFilter, ConditionsMayAskForWhatTheColumnsMean) {
  EXPECT_EQ(kept({"bits=4"}), "13");
  EXPECT_EQ(kept({"bits>4"}), "24");
  EXPECT_EQ(kept({"class=W4A16"}), "13");
  EXPECT_EQ(kept({"class=none"}), "24") << "any name of the same precision";
  EXPECT_EQ(kept({"class!=BF16", "dataset=rpj"}), "3");
  EXPECT_NE(kept({"bits=3"}).find("no row has 3; bits holds 4, 16"), std::string::npos)
      << kept({"bits=3"});
  EXPECT_NE(kept({"class=W3A3"}).find("class holds W4A16, BF16"), std::string::npos)
      << kept({"class=W3A3"});
}

TEST(RowFilter, MistakesAreSaid) {
  for (const auto& [condition, part] :
       {std::pair("dataset=c5", "no row has c5; dataset holds c4, rpj"),
        {"dataset=c4,x", "no row has x"},
        {"N=1e6..2e6", "t: where 'N=1e6..2e6': no row has 1e6..2e6; N holds 1e8, 2e8"},
        {"datset=c4", "unknown column 'datset'; did you mean 'dataset'? The columns are id, N"},
        {"N>2e8", "no row matches"},
        {"N/w_bits>1e9", "no row matches; N/w_bits holds 2.5e+07, 6.25e+06"},
        {"dataset", "write COLUMN=VALUE"},
        {"N>many", "'many' is not a number"}})
    EXPECT_NE(kept({condition}).find(part), std::string::npos)
        << condition << ": " << kept({condition});
}

}  // namespace
}  // namespace bitlaw
