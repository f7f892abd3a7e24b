#include "sweep/study.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/error.h"

namespace bitlaw {
namespace {

Study expand(const std::string& toml) {
  const Json defaults{{"recipe", {{"weights", "16"}}},
                      {"train", {{"tokens", 8000000}, {"seed", 1}}}};
  return expand_study(parse_toml(toml, "study.toml"), "study.toml", defaults);
}

std::string error_in(const std::string& toml) {
  try {
    expand(toml);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

constexpr const char* kDemo = R"(
name = "demo"
[base]
data.path = "data"
train.lr = 0.01
[variants.size]
small = { "model.width" = 32, "train.lr" = 0.02 }
large = { "model.width" = 64 }
[[grid]]
size = ["small", "large"]
"train.tokens" = [1000, 2000, 4000]
[[grid]]
size = ["small"]
train.tokens = [1000]
recipe.weights = ["3", "4"]
[ptq]
where = { "recipe.weights" = "16" }
bits = [3, 4]
)";

TEST(Study, CellsAreTheProductsOfEachGrid) {
  const Study study = expand(kDemo);
  EXPECT_EQ(study.name, "demo");
  ASSERT_EQ(study.cells.size(), 2u * 3 + 2);
  for (const Cell& cell : study.cells) {
    EXPECT_EQ(cell.config["data"]["path"], "data");
    EXPECT_EQ(cell.config["train"]["lr"], cell.config["model"]["width"] == 32 ? 0.02 : 0.01);
  }
  EXPECT_EQ(study.cells[7].config["recipe"]["weights"], "4");
  EXPECT_NE(study.cells[7].label.find("recipe.weights=4"), std::string::npos);
}

TEST(Study, MayKeepModelsAlongItsRuns) {
  EXPECT_EQ(expand(kDemo).checkpoints, 0);
  EXPECT_EQ(expand("name = \"demo\"\ncheckpoints = 4").checkpoints, 4);
  EXPECT_EQ(error_in("name = \"demo\"\ncheckpoints = -1"),
            "study.toml: checkpoints must be 0..62, not -1");
}

TEST(Study, QuantizesTheCellsThatMeetItsCondition) {
  const Study study = expand(kDemo);
  for (const Cell& cell : study.cells)
    EXPECT_EQ(cell.quantize, !cell.config.contains("recipe")) << cell.label;
  EXPECT_FALSE(study.ptq.contains("where"));
  EXPECT_EQ(study.ptq["bits"], Json({3, 4}));
}

TEST(Study, AConditionOfQuantizationLooksAtDefaultsToo) {
  const auto quantized = [](const std::string& where) {
    const Study study = expand(
        "name='x'\n[[grid]]\n'recipe.weights'=['3','4']\n[[grid]]\n'train.seed'=[1,2]\n[ptq]"
        "\nwhere={" +
        where + "}");
    std::string out;
    for (const Cell& cell : study.cells) out += cell.quantize ? 'y' : 'n';
    return out;
  };
  EXPECT_EQ(quantized("'recipe.weights'='16'"), "nnyy");
  EXPECT_EQ(quantized("'recipe.weights'=4"), "nynn");
  EXPECT_EQ(quantized("'train.tokens'=8e6"), "yyyy");
  EXPECT_EQ(quantized("'train.tokens'=9e6"), "nnnn");
  EXPECT_EQ(quantized("'train.seed'=2"), "nnny");
  EXPECT_NE(error_in("name='x'\n[ptq]\nwhere={'recipe.weigths'='16'}")
                .find("did you mean 'recipe.weights'"),
            std::string::npos);
}

// A cell with a named recipe has what that gives.
TEST(Study, AConditionOfQuantizationKnowsNamedRecipes) {
  const Study study = expand(
      "name='x'\n[[grid]]\n'recipe.named'=['nvfp4-forward', '']\n[ptq]\n"
      "where={'recipe.weights'='16'}");
  ASSERT_EQ(study.cells.size(), 2u);
  EXPECT_FALSE(study.cells[0].quantize);
  EXPECT_TRUE(study.cells[1].quantize);
  EXPECT_NE(error_in("name='x'\n[base]\n'recipe.named'='nvfp4-forward'\n[[grid]]\n"
                     "'recipe.weights'=['16']\n[ptq]")
                .find("recipe.named = nvfp4-forward gives it (nvfp4)"),
            std::string::npos);
}

TEST(Study, EqualCellsAppearOnce) {
  const Study study =
      expand("name='x'\n[[grid]]\n'train.seed'=[1,2]\n[[grid]]\n'train.seed'=[2,3]\n");
  EXPECT_EQ(study.cells.size(), 3u);
}

TEST(Study, WithoutAGridThereIsOneCell) {
  EXPECT_EQ(expand("name='x'\n[base]\ntrain.seed=1\n").cells.size(), 1u);
}

TEST(Study, HasAtLeastOneCell) {
  EXPECT_EQ(error_in("name='x'\ngrid=[]"), "study.toml: has no cell; give it a [[grid]]");
}

TEST(Study, KnowsTheChoicesOfItsCells) {
  const Study study = expand(kDemo);
  EXPECT_EQ(study.variants, std::vector<std::string>{"size"});
  EXPECT_EQ(study.cells[0].choices,
            (std::vector<Choice>{{"size", "small"}, {"train.tokens", "1000"}}));
  EXPECT_EQ(study.cells[0].grid, 0u);
  EXPECT_EQ(study.cells[7].grid, 1u);
}

TEST(Study, ItsSectionsAreSections) {
  const auto says = [](const std::string& toml, const std::string& sentence) {
    EXPECT_EQ(error_in("name = \"demo\"\n" + toml), "study.toml: " + sentence);
  };
  says("base = 3", "base must be a section, not 3");
  says("variants = 3", "variants must be a section, not 3");
  says("variants.size = [1]", "variants.size must be a section, not [1]");
  says("variants.size.small = 3", "variants.size.small must be a section, not 3");
  EXPECT_THROW(expand_study(Json::array({1}), "study.json", Json::object()), Error);
}

// Printing and destroying a document go down with it on the stack: this was a crash.
TEST(Study, QuotedKeysAreNotNestedTooDeeply) {
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  for (const char* place : {"[base]\n", "[[grid]]\n", "[ptq]\nwhere = {"}) {
    const std::string end = place[1] == 'p' ? "}" : "";
    EXPECT_NE(error_in(std::string("name = \"demo\"\n") + place + "\"" + deep + "\" = 1" + end)
                  .find("is nested more than 200 levels deep"),
              std::string::npos)
        << place;
  }
  // Each key is within the limit, both together are not.
  const std::string half = deep.substr(0, 2 * 150 - 1);
  EXPECT_NE(error_in("name = \"demo\"\n[base]\n\"" + half + "\" = { \"" + half + "\" = 1 }")
                .find("nested more than"),
            std::string::npos);
}

TEST(Study, SaysWhatIsWrong) {
  EXPECT_NE(error_in("[base]\n").find("needs a name"), std::string::npos);
  EXPECT_NE(error_in("name='a b'").find("one word"), std::string::npos);
  EXPECT_NE(error_in("name='x'\nbse=1").find("did you mean 'base'"), std::string::npos);
  EXPECT_NE(error_in("name='x'\n[[grid]]\n'train.seed'=[]").find("empty list"), std::string::npos);
  EXPECT_NE(error_in("name='x'\n[variants.size]\na={}\n[[grid]]\nsize=['b']").find("known: a"),
            std::string::npos);
  EXPECT_NE(error_in("name='x'\ngrid=3").find("[[grid]]"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
