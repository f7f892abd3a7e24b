#include "report/from_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "report/report.h"
#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw {
namespace {

// A table as text, as `bitlaw report` reads it.
Json report_on_text(const std::string& text, const std::vector<std::string>& pooled) {
  TableOptions options;
  options.may_differ.pooled = factors_named(pooled);
  const Table table = table_of(read_raw_table(text, "t.csv"), "t.csv", options);
  ReportRows rows = report_rows(table);
  ReportInput input;
  input.title = "t";
  input.rows = std::move(rows.rows);
  input.factors = std::move(rows.factors);
  input.observations = table.runs;
  input.pooled = options.may_differ.pooled;
  input.is_table = true;
  return make_report(input);
}

TEST(ReportOfATable, APrecisionWithoutBitsIsNoReference) {
  const Json report = report_on_text(
      "N,D,loss,precision\n1e7,1e9,4.0,bf16\n1e7,1e9,5.0,mystery\n1e7,1e9,4.2,W4A4\n"
      "2e7,1e9,3.8,bf16\n2e7,1e9,4.9,mystery\n2e7,1e9,4.0,W4A4\n",
      {"precision"});
  int low = 0;
  for (const Json& each : report["penalties"]) {
    if (each["precision"] != "W4A4") continue;
    ++low;
    EXPECT_NEAR(each["difference"].get<double>(), 0.2, 1e-9) << each;
  }
  EXPECT_EQ(low, 2) << report["penalties"];
  EXPECT_EQ(
      report["answer"][0],
      "6 models with 10 M to 20 M parameters were trained on 1 B tokens, 2 of them with weights, "
      "activations or keys and values at 4 bits, 2 at precisions whose names say no bits.");
}

TEST(ReportOfATable, SeedsAreKnown) {
  std::string text = "N,D,loss,P_w,P_a,P_kv,seed\n";
  for (const double n : {1e7, 2e7}) {
    for (const int bits : {16, 4}) {
      for (const int seed : {1, 2})
        text += fmt::format("{},1e9,{},{},16,16,{}\n", n, 4 - n / 1e8 - bits / 100. + seed / 1000.,
                            bits, seed);
    }
  }
  const Json report = report_on_text(text, {});
  EXPECT_NE(report["summary"]["noise"].get<std::string>().find("between seeds"), std::string::npos)
      << report["summary"]["noise"];
  EXPECT_EQ(report["rows"][1]["seed"], 2);
}

}  // namespace
}  // namespace bitlaw
