// The files that a table of runs may be in, and the options that choose its rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cli/program.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Loss of 16 runs, those at W4A4 with half the parameters.
std::string csv(const std::string& unquantized, double least_params = 1e7) {
  std::string text = "N,D,precision,loss\n";
  for (const double params : {1.0, 3.0, 10.0, 30.0}) {
    for (const double tokens : {2e8, 1e9, 5e9, 2e10}) {
      for (const double share : {1.0, 0.5}) {
        const double size = params * least_params;
        const double loss =
            1.69 + 406.4 / std::pow(size * share, 0.34) + 410.7 / std::pow(tokens, 0.28);
        text +=
            fmt::format("{},{},{},{:.6f}\n", size, tokens, share == 1 ? unquantized : "W4A4", loss);
      }
    }
  }
  return text;
}

class TableFiles : public testing::Test {
 protected:
  Outcome shell(const std::string& command) {
    return run_shell(command, Surroundings{.directory = folder_.path()});
  }
  // The rows of "... fit FILES --dry-run", or -1.
  int rows(const std::string& files, const std::string& before = "") {
    const Outcome outcome =
        shell(before + "\"$BITLAW\" fit " + files + " --law chinchilla --dry-run --json");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? outcome.json().at("rows").get<int>() : -1;
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_.path() / name).parent_path());
    write_text(folder_.path() / name, text);
  }

  Folder folder_;
};

TEST_F(TableFiles, AreFilesPipesPatternsAndDirectories) {
  write("a.csv", "N,D,loss\n1e8,2e9,3\n2e8,2e9,2.9\n");
  write("b.csv", "N,D,loss\n1e8,4e9,2.8\n");
  write("models/x.json", R"({"params":1e8,"tokens":2e9,"evals":[{"loss":3,"task":"c4"}]})");
  write("models/y.json", R"({"params":2e8,"tokens":2e9,"evals":[{"loss":2,"task":"c4"}]})");
  EXPECT_EQ(rows("a.csv"), 2);
  EXPECT_EQ(rows("-", "cat a.csv | "), 2);
  EXPECT_EQ(rows("a.csv b.csv"), 3);
  EXPECT_EQ(rows("'?.csv'"), 3);
  EXPECT_EQ(rows("a.csv b.csv --where file=b.csv"), 1);
  EXPECT_EQ(rows("models --columns loss=evals.c4.loss"), 2);
  EXPECT_FALSE(fs::exists(folder_.path() / "models/index.sqlite")) << "no directory of runs";
  EXPECT_EQ(rows("a.csv.gz", "gzip -k a.csv && "), 2);
  EXPECT_EQ(rows("-", "gzip -c a.csv | "), 2);
  EXPECT_NE(shell("\"$BITLAW\" fit '*.tsv'").err.find("*.tsv: no file matches"), std::string::npos);
  EXPECT_NE(shell("\"$BITLAW\" fit a.csv b.csv --law chinchilla --out b.csv")
                .err.find("--out b.csv: is the input"),
            std::string::npos);
}

TEST_F(TableFiles, AReferenceOfAnyNameGoesFromTheFitToThePlan) {
  write("plain.csv", csv("bf16-mixed"));
  write("named.csv", csv("baseline"));
  const std::string fit = "\"$BITLAW\" fit --law quest --draws 0 --json --starts 16 ";
  const auto share = [&](const std::string& command) {
    const Outcome outcome = shell(command);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json().at("parameters").at("eff[W4A4]").at("value").get<double>();
  };
  EXPECT_NEAR(share(fit + "plain.csv"), 0.5, 1e-3);
  const Outcome refused = shell(fit + "named.csv");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("with --reference"), std::string::npos) << refused.err;
  EXPECT_NEAR(share(fit + "named.csv --reference baseline --out fit.json"), 0.5, 1e-3);
  const Outcome plan =
      shell("\"$BITLAW\" plan --fit fit.json --compute 1e20 --precision baseline --json");
  ASSERT_EQ(plan.status, 0) << plan.err;
  EXPECT_EQ(plan.json().at("optimum").at("precision"), "baseline") << plan.out;
  const Outcome named =
      shell("\"$BITLAW\" predict --fit fit.json N=1e8 D=5e9 precision=baseline --json");
  const Outcome plain = shell("\"$BITLAW\" predict --fit fit.json N=1e8 D=5e9 --json");
  ASSERT_EQ(named.status, 0) << named.err;
  EXPECT_EQ(named.json().at("predictions")[0].at("loss"),
            plain.json().at("predictions")[0].at("loss"))
      << named.out;
}

TEST_F(TableFiles, ATableWithoutPrecisionsIsFittedByALawWithoutThem) {
  write("t.csv", csv("bf16"));
  const std::string fit = "\"$BITLAW\" fit t.csv --draws 0 --json --starts 8 ";
  const Outcome without = shell(fit + "--columns precision=- --where precision=bf16");
  ASSERT_EQ(without.status, 0) << without.err;
  EXPECT_EQ(without.json().at("law"), "chinchilla");
  EXPECT_NE(without.err.find("has no column of a precision, so the law is chinchilla"),
            std::string::npos)
      << without.err;
  const Outcome with = shell(fit);
  ASSERT_EQ(with.status, 0) << with.err;
  EXPECT_EQ(with.json().at("law"), "kumar");
  const Outcome named = shell(fit + "--law kumar --columns precision=- --where precision=bf16");
  EXPECT_EQ(named.json().at("law"), "kumar");
}

TEST_F(TableFiles, ColumnsMayBeComputed) {
  write("t.csv", "params,width,tokens,bpb\n1e8,512,2e9,1\n2e8,1024,4e9,.9\n");
  EXPECT_EQ(rows("t.csv --set 'N=params-50304*width' --set 'loss=bpb*log(2)*4.5'"), 2);
  const Outcome wrong = shell("\"$BITLAW\" fit t.csv --law chinchilla --set 'N=params-*width'");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.err.find("at character 8, before '*width'"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace bitlaw
