// Laws of one's own, made from formulas: on the command line, from a file, and from the fits that carry
// them.
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

constexpr const char* kFormula = "E + A/N^alpha + B/D^beta*exp(-k*experts)";

class FormulaVerb : public World {
 protected:
  // A study drawn from the formula, whose column of experts is called num_experts.
  void study() {
    json_of({"simulate", "--formula", kFormula, "--constants",
             "E=1.8,A=300,alpha=0.34,B=900,beta=0.33,k=0.05", "--inputs", "experts=1,4,16",
             "--params", "1e7,3e7,1e8,3e8", "--tokens", "1e9,4e9,16e9", "--noise", "1e-3", "--out",
             "study.csv", "--json"});
    std::string text = read_file(around_.directory / "study.csv");
    const size_t at = text.find("experts");
    text.replace(text.rfind("experts", text.find('\n')), 7, "num_experts");
    EXPECT_NE(at, std::string::npos);
    write_text(around_.directory / "study.csv", text);
  }
  Json fit() {
    study();
    return json_of({"fit", "study.csv", "--formula", kFormula, "--constants", "E=0..5,k=0..2",
                    "--inputs", "experts=num_experts", "--draws", "60", "--starts", "8",
                    "--threads", "1", "--out", "fit.json", "--json"});
  }
};

TEST_F(FormulaVerb, AFitCarriesItsFormulaToEveryVerb) {
  const Json fitted = fit();
  EXPECT_EQ(fitted.at("law"), "formula");
  EXPECT_EQ(fitted.at("formula").at("formula"), kFormula);
  EXPECT_EQ(fitted.at("formula").at("inputs").at("experts"), "num_experts");
  EXPECT_NEAR(fitted.at("parameters").at("k").at("value").get<double>(), 0.05, 0.005);

  const Json made =
      json_of({"predict", "--fit", "fit.json", "N=1e8", "D=4e9", "experts=4,64", "--json"});
  ASSERT_EQ(made.at("predictions").size(), 2U);
  EXPECT_GT(made.at("predictions")[0].at("loss").get<double>(),
            made.at("predictions")[1].at("loss").get<double>());
  EXPECT_TRUE(made.at("predictions")[0].at("beyond").empty());
  EXPECT_FALSE(made.at("predictions")[1].at("beyond").empty()) << "64 experts were never fitted";
  expect_refused({"predict", "--fit", "fit.json", "N=1e8", "D=4e9"}, {"experts", "experts=NUMBER"});

  const Json plan = json_of(
      {"plan", "--fit", "fit.json", "--compute", "1e20", "--inputs", "experts=8", "--json"});
  EXPECT_GT(plan.at("optimum").at("N").get<double>(), 0);
  expect_refused({"plan", "--fit", "fit.json", "--compute", "1e20"}, {"experts", "inputs"});
  expect_refused({"plan", "--fit", "fit.json", "--compute", "1e20", "--inputs", "expert=8"},
                 {"did you mean 'experts'"});
  expect_refused({"plan", "--law", "kumar", "--compute", "1e20", "--inputs", "experts=8"},
                 {"kumar takes none"});

  const Json drawn = json_of({"simulate", "--fit", "fit.json", "--like", "study.csv", "--json"});
  EXPECT_EQ(drawn.at("rows").size(), 36U);
  EXPECT_TRUE(drawn.at("rows")[0].contains("num_experts"));
}

TEST_F(FormulaVerb, DesignAndCompareTakeOne) {
  study();
  const char* const by_column = "E + A/N^alpha + B/D^beta*exp(-k*num_experts)";
  const Json design =
      json_of({"design", "study.csv", "--formula", by_column, "--constants", "k=0..2", "--shrink",
               "k", "--runs", "2", "--candidates", "N=1e7,1e8;D=1e9,1e10;num_experts=1,32",
               "--threads", "1", "--json"});
  ASSERT_EQ(design.at("runs").size(), 2U);
  EXPECT_TRUE(design.at("runs")[0].at("inputs").contains("num_experts"));
  const Json compared = json_of({"compare", "study.csv", "--laws", "chinchilla", "--formula",
                                 by_column, "--constants", "k=0..2", "--threads", "1", "--json"});
  EXPECT_EQ(compared.at("best"), "formula");
}

TEST_F(FormulaVerb, AFileOfLawsIsAPrivateRegistry) {
  study();
  write_text(around_.directory / "laws.toml",
             "[law.moe]\nformula = \"E + A/N^alpha + B/D^beta*exp(-k*experts)\"\n"
             "constants = \"k=0..2\"\ninputs = { experts = \"num_experts\" }\n"
             "source = \"ours\"\n[law.moe.values]\nE = 1.8\nA = 300\nalpha = 0.34\nB = 900\n"
             "beta = 0.33\nk = 0.05\n");
  const Json fitted = json_of({"fit", "study.csv", "--law", "moe", "--law-file", "laws.toml",
                               "--draws", "0", "--starts", "8", "--threads", "1", "--json"});
  EXPECT_EQ(fitted.at("law"), "moe");
  EXPECT_NEAR(fitted.at("parameters").at("k").at("value").get<double>(), 0.05, 0.005);
  const Json made = json_of({"predict", "--law", "moe", "--law-file", "laws.toml", "N=1e8", "D=4e9",
                             "experts=4", "--json"});
  EXPECT_GT(made.at("predictions")[0].at("loss").get<double>(), 1.8);
  EXPECT_EQ(json_of({"laws", "show", "moe", "--law-file", "laws.toml", "--json"}).at("source"),
            "ours");
  const Json compared = json_of({"compare", "study.csv", "--laws", "moe,chinchilla", "--law-file",
                                 "laws.toml", "--threads", "1", "--json"});
  EXPECT_EQ(compared.at("best"), "moe");

  expect_refused({"fit", "study.csv", "--law", "moe", "--law-file", "none.toml"}, {"none.toml"});
  write_text(around_.directory / "wrong.toml", "[law.moe]\nformula = \"E + A/N^alhpa\"\n");
  expect_refused({"fit", "study.csv", "--law", "moe", "--law-file", "wrong.toml"},
                 {"wrong.toml", "law moe", "alhpa", "character 9"});
  write_text(around_.directory / "taken.toml", "[law.kumar]\nformula = \"E + A/N^alpha\"\n");
  expect_refused({"fit", "study.csv", "--law", "kumar", "--law-file", "taken.toml"},
                 {"another law has that name"});
}

TEST_F(FormulaVerb, MistakesAreSentences) {
  study();
  expect_refused({"fit", "study.csv", "--formula", "E + A/N^alpha + zeta*D"},
                 {"zeta", "character 17", "--constants 'zeta=0..10'", "--inputs zeta=COLUMN"});
  expect_refused({"fit", "study.csv", "--formula", kFormula, "--constants", "k=0..2", "--inputs",
                  "experts=num_expert"},
                 {"num_expert", "did you mean 'num_experts'"});
  expect_refused({"fit", "study.csv", "--formula", "E", "--law", "kumar"},
                 {"leave out --law kumar"});
  expect_refused({"simulate", "--formula", "E + A/N^alpha", "--constants", "E=1.8"},
                 {"needs a value of A"});

  // Rows without a value are left out and counted; a word is an error with its line.
  std::string text = read_file(around_.directory / "study.csv");
  const size_t end = text.find('\n', text.find('\n') + 1);
  write_text(around_.directory / "gap.csv",
             text.substr(0, text.rfind(',', end) + 1) + text.substr(end));
  const Outcome gap = run({"fit", "gap.csv", "--formula", kFormula, "--constants", "k=0..2",
                           "--inputs", "experts=num_experts", "--dry-run"});
  EXPECT_EQ(gap.status, 0) << gap.err;
  EXPECT_NE((gap.out + gap.err).find("1 row has no value of num_experts"), std::string::npos)
      << gap.out << gap.err;
  write_text(around_.directory / "word.csv",
             text.substr(0, text.rfind(',', end) + 1) + "many" + text.substr(end));
  expect_refused({"fit", "word.csv", "--formula", kFormula, "--constants", "k=0..2", "--inputs",
                  "experts=num_experts"},
                 {"line 2", "many is not a number"});
}

}  // namespace
}  // namespace bitlaw
