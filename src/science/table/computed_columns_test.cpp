#include "table/computed_columns.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "table/table.h"

namespace bitlaw {
namespace {

Table with_set(const std::string& text, std::vector<std::string> set, const std::string& map = "") {
  return read_table(text, "t.csv",
                    TableOptions{.columns = parse_columns(map), .set = std::move(set)});
}

std::string why_not(const std::string& text, std::vector<std::string> set,
                    const std::string& map = "") {
  try {
    with_set(text, std::move(set), map);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ComputedColumns, AreUsedAsIfTheFileHadThem) {
  const std::string text = "params,d_model,tokens,val_bpb\n100M,512,2B,1.5\n2e8,1024,4B,1.25\n";
  const Table table =
      with_set(text, {"N=params-50304*d_model", "loss=val_bpb*log(2)*4.5", "N_total = params"});
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[0].params, 100e6 - 50304 * 512);
  EXPECT_EQ(table.runs[0].params_total, 100e6);
  EXPECT_DOUBLE_EQ(table.runs[1].loss_nats, 1.25 * std::log(2.0) * 4.5);
  EXPECT_EQ(table.runs[1].tokens, 4e9);
}

TEST(ComputedColumns, MayUseCanonicalNamesAndEachOther) {
  const Table table = with_set("n_params,C,val_loss\n1e8,6e17,3\n",
                               {"half=\"n_params\"/2", "D=C/(6*N)", "N=half*2"});
  EXPECT_EQ(table.runs[0].tokens, 1e9);
  EXPECT_EQ(table.runs[0].params, 1e8);
}

TEST(ComputedColumns, AnEmptyFieldGivesAnEmptyField) {
  const Table table =
      with_set("N,D,loss,bits\n1e8,2e9,3,NA\n1e8,2e9,3.1,8\n", {"P_w=bits/2"}, "P=-");
  EXPECT_EQ(table.runs[0].bits_weights, 16);
  EXPECT_EQ(table.runs[1].bits_weights, 4);
}

TEST(ComputedColumns, MistakesAreNamed) {
  const std::string text = "params,tokens,loss\n1e8,2e9,3\nmany,2e9,3\n";
  EXPECT_EQ(why_not(text, {"N"}), "set: 'N' is not NAME=FORMULA, as in N=params-50304*width");
  EXPECT_NE(why_not(text, {"N=params*"}).find("set N: 'params*': a number, a name or ( is missing"),
            std::string::npos);
  EXPECT_NE(why_not(text, {"N=parms-1"}).find("set N: unknown column 'parms'; did you mean"),
            std::string::npos);
  EXPECT_EQ(why_not(text, {"N=params-1"}), "t.csv: line 3, column params: many is not a number");
  EXPECT_EQ(why_not("params,tokens,loss\n1e8,2e9,3\n", {"N=log(0*tokens)"}),
            "t.csv: line 2, column N: the formula gives -inf");
  EXPECT_EQ(why_not(text, {"N=tokens"}, "N=params"),
            "set N: --columns N=params says that params is N; give one of them");
}

}  // namespace
}  // namespace bitlaw
