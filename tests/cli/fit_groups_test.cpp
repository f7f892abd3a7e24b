// `bitlaw fit --by COLUMN`: a fit for each group of a table.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "cli/world.h"

namespace bitlaw {
namespace {

class FitGroups : public World {
 protected:
  // Two data sets whose exponents of size differ, and a third with one run.
  void table() {
    std::string csv = "N,D,dataset,loss\n";
    for (const double params : {1e7, 3e7, 1e8, 3e8}) {
      for (const double tokens : {1e9, 3e9, 1e10, 3e10}) {
        for (const char* set : {"c4", "web"}) {
          const double alpha = set[0] == 'c' ? 0.3 : 0.4;
          csv += fmt::format("{},{},{},{:.8f}\n", params, tokens, set,
                             1.7 + 400 / std::pow(params, alpha) + 900 / std::pow(tokens, 0.3));
        }
      }
    }
    write_text(around_.directory / "t.csv", csv + "1e7,1e9,small,4\n");
  }
};

TEST_F(FitGroups, EachValueOfAColumnHasItsFit) {
  table();
  const Json made =
      json_of({"fit", "t.csv", "--law", "chinchilla", "--by", "dataset", "--draws", "30",
               "--starts", "8", "--threads", "1", "--out", "by.json", "--json"});
  EXPECT_EQ(made.at("by"), "dataset");
  const Json& groups = made.at("groups");
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].at("value"), "c4");
  EXPECT_NEAR(groups[0].at("fit").at("parameters").at("alpha").at("value"), 0.3, 1e-4);
  EXPECT_NEAR(groups[1].at("fit").at("parameters").at("alpha").at("value"), 0.4, 1e-4);
  EXPECT_TRUE(groups[2].at("fit").is_null());
  EXPECT_NE(groups[2].at("error").get<std::string>().find("cannot determine"), std::string::npos);

  const Outcome text = run(
      {"fit", "t.csv", "--law", "chinchilla", "--by", "dataset", "--draws", "0", "--starts", "8"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("small not fitted: "), std::string::npos) << text.out;
}

// The class of the precision is that of --where class=..., also where bits say it.
TEST_F(FitGroups, ByTheClassOfThePrecision) {
  table();
  std::string csv = "N,D,P_w,loss\n";
  for (const double params : {1e7, 3e7, 1e8, 3e8}) {
    for (const double tokens : {1e9, 3e9, 1e10}) {
      for (const int bits : {16, 4}) {
        csv += fmt::format(
            "{},{},{},{:.8f}\n", params, tokens, bits,
            (bits == 4 ? 2.0 : 1.7) + 400 / std::pow(params, 0.3) + 900 / std::pow(tokens, 0.3));
      }
    }
  }
  write_text(around_.directory / "bits.csv", csv);
  const Json made = json_of({"fit", "bits.csv", "--law", "chinchilla", "--by", "class", "--draws",
                             "0", "--starts", "8", "--threads", "1", "--json"});
  const Json& groups = made.at("groups");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].at("value"), "BF16");
  EXPECT_EQ(groups[1].at("value"), "W4A16");
  EXPECT_NEAR(groups[0].at("fit").at("parameters").at("E").at("value"), 1.7, 1e-3);
  EXPECT_NEAR(groups[1].at("fit").at("parameters").at("E").at("value"), 2.0, 1e-3);
}

TEST_F(FitGroups, AColumnThatGroupsNothingIsRefused) {
  table();
  const Outcome unknown = run({"fit", "t.csv", "--law", "chinchilla", "--by", "datasets"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.err.find("dataset"), std::string::npos) << unknown.err;
  const Outcome one =
      run({"fit", "t.csv", "--law", "chinchilla", "--where", "dataset=c4", "--by", "P_w"});
  EXPECT_EQ(one.status, 1);
}

// A fit for each recipe, against the reference runs that all of them share.
TEST_F(FitGroups, GapsOfEachRecipe) {
  std::string csv = "N,D,precision,loss\n";
  for (const double params : {1e7, 3e7, 1e8}) {
    for (const double tokens : {1e9, 3e9, 1e10}) {
      csv += fmt::format("{},{},bf16,3\n", params, tokens);
      for (const auto& [name, growth] : {std::pair{"W4A4", 0.2}, {"mxfp4", 0.4}})
        csv += fmt::format("{},{},{},{:.8f}\n", params, tokens, name,
                           3 + 0.05 * std::pow(tokens / 1e9, growth) / std::pow(params / 1e7, 0.3));
    }
  }
  write_text(around_.directory / "t.csv", csv);
  const Json made = json_of({"fit", "t.csv", "--gap-to", "bf16", "--by", "precision", "--draws",
                             "30", "--starts", "8", "--threads", "1", "--json"});
  const Json& groups = made.at("groups");
  ASSERT_EQ(groups.size(), 2U) << "the reference is no group";
  EXPECT_NEAR(groups[0].at("fit").at("parameters").at("gamma_D").at("value"), 0.2, 1e-3);
  EXPECT_NEAR(groups[1].at("fit").at("parameters").at("gamma_D").at("value"), 0.4, 1e-3);
}

}  // namespace
}  // namespace bitlaw
