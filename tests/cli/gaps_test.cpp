// `--gap-to`: recipes against their reference runs, from a table to a prediction.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

class GapsVerb : public World {
 protected:
  // 24 gaps .1 (D / 1e8)^.35 / (N / 1e6)^.25 to runs whose own losses are anywhere.
  void table() {
    std::string csv = "N,D,precision,seed,loss\n";
    for (const double params : {1e6, 2e6, 4e6, 8e6}) {
      for (const double tokens : {1e8, 3e8, 9e8}) {
        for (const int seed : {1, 2}) {
          const double reference = 3 + 0.1 * std::sin(params + tokens + seed);
          const double gap = 0.1 * std::pow(tokens / 1e8, 0.35) / std::pow(params / 1e6, 0.25);
          csv += fmt::format("{0},{1},bf16,{2},{3:.6f}\n{0},{1},W4A4,{2},{4:.6f}\n", params, tokens,
                             seed, reference, reference + gap * (seed == 1 ? 1.01 : 0.99));
        }
      }
    }
    write_text(around_.directory / "t.csv", csv);
  }
};

TEST_F(GapsVerb, FromATableToAPrediction) {
  table();
  const Json fit = json_of({"fit", "t.csv", "--gap-to", "bf16", "--starts", "8", "--draws", "60",
                            "--threads", "1", "--out", "gap.json", "--json"});
  EXPECT_EQ(fit.at("law"), "gap-class");
  EXPECT_NEAR(fit.at("parameters").at("gamma_D").at("value"), 0.35, 0.005);
  EXPECT_NEAR(fit.at("parameters").at("gamma_N").at("value"), 0.25, 0.005);
  EXPECT_TRUE(fit.at("lack_of_fit").is_null()) << "losses have one, gaps do not";

  const Outcome predicted =
      run({"predict", "--fit", "gap.json", "N=2e6", "D=3e8", "precision=W4A4"});
  EXPECT_NE(predicted.out.find("gap 0.12"), std::string::npos) << predicted.out;
  const Outcome reference =
      run({"predict", "--fit", "gap.json", "N=2e6", "D=3e8", "precision=bf16"});
  EXPECT_NE(reference.out.find("its own reference"), std::string::npos) << reference.out;
  const Outcome plan = run({"plan", "--fit", "gap.json", "--compute", "1e18"});
  EXPECT_EQ(plan.status, 1);
  EXPECT_NE(plan.err.find("not a loss"), std::string::npos) << plan.err;

  const Json compared = json_of({"compare", "t.csv", "--gap-to", "bf16", "--json"});
  EXPECT_EQ(compared.at("laws").size(), 3U);
  EXPECT_EQ(compared.at("lack_of_fit"), Json::object());
}

TEST_F(GapsVerb, OtherVerbsTakeGapsOrSayWhyNot) {
  table();
  expect_refused({"fit", "t.csv", "--gap-to", "bf61"}, {"--gap-to bf61: no row is of this class"});
  expect_refused({"design", "t.csv", "--gap-to", "bf16"}, {"--gap-to: design"});
  run({"fit", "t.csv", "--gap-to", "bf16", "--starts", "8", "--draws", "20", "--out", "gap.json"});
  const Json page = json_of({"report", "t.csv", "--gap-to", "bf16", "--fit", "gap.json", "--json"});
  EXPECT_EQ(page.at("constants").size(), 3U);
  EXPECT_NE(dump_json(page.at("notes")).find("The fit is of gaps"), std::string::npos);
  EXPECT_EQ(run({"report", "t.csv", "--gap-to", "bf16"}).status, 0);
}

TEST_F(GapsVerb, LawsOfLossesAndOfGapsAreNotMixed) {
  table();
  const Outcome of_losses = run({"fit", "t.csv", "--gap-to", "bf16", "--law", "kumar"});
  EXPECT_EQ(of_losses.status, 1);
  EXPECT_NE(of_losses.err.find("use gap-class, gap-exp or gap-bits"), std::string::npos);
  const Outcome of_gaps = run({"fit", "t.csv", "--law", "gap-exp"});
  EXPECT_EQ(of_gaps.status, 1);
  EXPECT_NE(of_gaps.err.find("as in --gap-to bf16"), std::string::npos);
  const Outcome two = run({"fit", "t.csv", "--gap-to", "bf16", "--reference", "W4A4"});
  EXPECT_EQ(two.status, 1);
  EXPECT_NE(two.err.find("name two classes"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
