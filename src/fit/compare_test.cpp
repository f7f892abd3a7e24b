#include "fit/compare.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "fit/simulate_for_tests.h"
#include "fit/table.h"

namespace bitlaw {
namespace {

const Json& law_in(const Json& comparison, const std::string& name) {
  for (const Json& law : comparison.at("laws")) {
    if (law.at("name") == name) return law;
  }
  throw Error("no such law in the comparison");
}

CompareOptions quick() {
  CompareOptions options;
  options.starts = 16;
  return options;
}

TEST(Compare, TheTrueLawWinsWhereItsTermsMatter) {
  const Json result = compare_laws(simulate({.params = {1e5, 2e5, 4e5}, .post = {}}), quick());
  EXPECT_EQ(result["laws"][0]["name"], "kumar");
  EXPECT_FALSE(law_in(result, "chinchilla")["tied_with_best"].get<bool>());
  EXPECT_FALSE(law_in(result, "kumar-no-offsets")["tied_with_best"].get<bool>());
  EXPECT_LT(law_in(result, "kumar")["aicc"].get<double>(),
            law_in(result, "chinchilla")["aicc"].get<double>());
  EXPECT_NE(result["verdict"].get<std::string>().find("kumar predicts"), std::string::npos);
  EXPECT_NE(compare_text(result).find("kumar-no-offsets"), std::string::npos);
}

TEST(Compare, WithoutPrecisionAllAreTied) {
  const Json result =
      compare_laws(simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}}), quick());
  for (const Json& law : result["laws"]) {
    EXPECT_EQ(law["parameters"], 5);
    EXPECT_TRUE(law["tied_with_best"].get<bool>());
  }
  EXPECT_NE(result["verdict"].get<std::string>().find("a tie"), std::string::npos);
}

// The page of this table gives the SSE of log residuals of each law (70 rows of classes 1 to 16 and
// weight-only); the least squares found here must be those, or less.
TEST(Compare, PublicTableOfQuantizedRuns) {
  const std::filesystem::path path =
      std::filesystem::path(BITLAW_SOURCE_DIR) / "../shared/data/quest_qat.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const Table table = read_table(read_file(path), path.string(),
                                 parse_columns("P_w=w_bits,P_a=a_bits,run=P_class"));
  std::vector<Observation> rows;
  for (Observation run : table.runs) {
    const std::string& name = run.cluster;
    const bool wanted = name == "1" || name == "2" || name == "3" || name == "4" || name == "8" ||
                        name == "16" || name.ends_with("WO");
    if (!wanted) continue;
    run.cluster.clear();
    rows.push_back(run);
  }
  ASSERT_EQ(rows.size(), 70u);
  const Json result = compare_laws(rows, quick());
  struct Row {
    const char* name;
    double sse, aicc;
    int k;
  };
  for (const Row& row :
       {Row{"chinchilla", .255644, -381.9, 5}, Row{"kumar-no-offsets", .013152, -584.8, 7},
        Row{"kumar", .0035787, -670.7, 9}}) {
    const Json& law = law_in(result, row.name);
    EXPECT_EQ(law["parameters"], row.k);
    EXPECT_LT(law["sse"].get<double>(), row.sse * (1 + 5e-5)) << row.name;
    EXPECT_GT(law["sse"].get<double>(), row.sse * 0.99) << row.name;
    EXPECT_NEAR(law["aicc"].get<double>(), row.aicc, 0.7) << row.name;  // 1 % of SSE is 70 * 0.01
  }
}

TEST(Compare, OptionsThatMakeNoSenseGetOneSentence) {
  const std::vector<Observation> rows = simulate({.params = {1e5}, .tokens = {1e6}, .post = {}});
  CompareOptions options = quick();
  options.laws = {"kumer"};
  EXPECT_THROW(compare_laws(rows, options), Error);
  options.laws = {};
  options.hold_out = "largest-N";
  EXPECT_THROW(compare_laws(rows, options), Error);  // one size only
  options.hold_out = "bits";
  EXPECT_THROW(compare_laws(rows, options), Error);
  options.hold_out = "kfold";
  EXPECT_THROW(compare_laws({}, options), Error);
}

}  // namespace
}  // namespace bitlaw
