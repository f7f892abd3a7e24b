#include "quantize/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/test_folder.h"
#include "quantize/cell.h"

namespace bitlaw {
namespace {

TEST(PtqMethod, NamesAreReadInAnyOrderAndWrittenInOne) {
  const MatrixCell cell = parse_method("gptq+hadamard+act-order+clip");
  EXPECT_STREQ(cell.method->name, "gptq");
  EXPECT_TRUE(cell.act_order && cell.rotated && cell.scheme.clip);
  EXPECT_FALSE(cell.scheme.asymmetric);
  EXPECT_EQ(method_name(cell), "gptq+act-order+clip+hadamard");
  for (const char* name : {"none", "rtn", "gptq", "awq", "rtn+asymmetric", "awq+clip+hadamard"}) {
    EXPECT_EQ(method_name(parse_method(name)), name);
  }
}

PtqConfig small() {
  PtqConfig config;
  config.bits = {3, 4, 3};
  config.calibration_seeds = {1};
  return config;
}

TEST(PtqConfig, CellsAreMethodsTimesGroupsTimesFormatsEachOnce) {
  PtqConfig config = small();
  config.formats = {"e2m1", "int4"};
  config.groups = {0, 128};
  const std::vector<PtqCell> cells = ptq_cells(config);
  ASSERT_EQ(cells.size(), 2u * 2 * 3);
  EXPECT_STREQ(cells[0].weights.method->name, "rtn");
  EXPECT_EQ(cells[0].weights.scheme.format.name(), "int3");
  EXPECT_EQ(cells[0].weights.scheme.group, 0);
  EXPECT_EQ(cells[2].weights.scheme.format.name(), "e2m1");
  EXPECT_EQ(cells[2].label(), "rtn+float");
  EXPECT_EQ(cells[3].weights.scheme.group, 128);
  EXPECT_STREQ(cells[6].weights.method->name, "gptq");
}

TEST(PtqConfig, CalibratedCellsComeOncePerSeedBesideOneRoundToNearest) {
  PtqConfig config = small();
  config.methods = {"gptq+act-order+clip", "awq"};
  config.bits = {4};
  config.calibration_seeds = {5, 6};
  std::vector<std::string> seen;
  for (const PtqCell& cell : ptq_cells(config)) {
    seen.push_back(cell.label() + " " + std::to_string(cell.calibration_seed));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"rtn+clip 0", "rtn 0", "gptq+act-order+clip 5",
                                            "gptq+act-order+clip 6", "awq 5", "awq 6"}));
}

// They took hours to list, and memory without end.
TEST(PtqConfig, AGridOfTooManyCellsIsRefusedBeforeItIsMade) {
  PtqConfig config = small();
  config.bits.assign(1000, 4);
  config.groups.assign(1000, 0);
  EXPECT_NE(error_of([&] { ptq_cells(config); }).find("make 2e+06 cells, more than 10000"),
            std::string::npos);
}

TEST(PtqConfig, PublishedBlockFormatsKeepTheirGroup) {
  PtqConfig config = small();
  config.methods = {"rtn"};
  config.bits = {};
  config.formats = {"mxfp4", "nvfp4"};
  config.groups = {0, 64};
  const std::vector<PtqCell> cells = ptq_cells(config);
  ASSERT_EQ(cells.size(), 2u);
  EXPECT_EQ(cells[0].weights.scheme.group, 32);
  EXPECT_EQ(cells[0].label(), "rtn+mx");
  EXPECT_EQ(cells[1].weights.scheme.group, 16);
  EXPECT_EQ(cells[1].label(), "rtn+nv");
}

TEST(PtqConfig, ActivationsAndKeysAndValuesInUseAreAxesToo) {
  PtqConfig config = small();
  config.methods = {"none", "rtn"};
  config.bits = {4};
  config.activations = {"trained", "8"};
  config.kv = {"trained", "e4m3"};
  config.activations_granularity = "token";
  std::vector<std::string> labels;
  for (const PtqCell& cell : ptq_cells(config)) labels.push_back(cell.label());
  EXPECT_EQ(labels, (std::vector<std::string>{"none", "none+kv-e4m3", "none+a8", "none+a8+kv-e4m3",
                                              "rtn", "rtn+kv-e4m3", "rtn+a8", "rtn+a8+kv-e4m3"}));
  EXPECT_EQ(ptq_cells(config)[2].activations->name(), "int8/token");
  config.activations = {"mxfp4", "int4-e8m0"};  // a block format has its own block
  config.kv = {"trained"};
  EXPECT_EQ(ptq_cells(config)[0].label(), "none+a-mxfp4");
  EXPECT_EQ(ptq_cells(config)[0].activations->name(), "mxfp4");
  EXPECT_EQ(ptq_cells(config)[1].label(), "none+a-int4-e8m0");
  EXPECT_EQ(ptq_cells(config)[1].activations->name(), "int4-e8m0/token");
}

TEST(PtqConfig, NamesTheKeyThatIsWrong) {
  struct Case {
    Json options;
    const char* words;
  };
  const std::vector<Case> cases{
      {{{"methods", {"gtpq"}}}, "did you mean 'gptq'?"},
      {{{"methods", {"magic"}}}, "known: none, rtn, gptq, awq"},
      {{{"methods", {"gptq+hadamar"}}}, "did you mean 'hadamard'?"},
      {{{"methods", {"awq+act-order"}}}, "applies to gptq only"},
      {{{"methods", {"none+clip"}}}, "has no options"},
      {{{"methods", {"rtn+asymmetric"}}, {"formats", {"e2m1"}}}, "but e2m1 has none"},
      {{{"methods", {"rtn+clip+gauss"}}}, "neither with clip"},
      {{{"methods", {"rtn+gauss"}}, {"formats", {"int4-asym"}}}, "neither with clip"},
      {{{"methods", Json::array()}}, "methods is empty"},
      {{{"bits", {1}}}, "bits = 1"},
      {{{"bits", {9}}}, "2 to 8 bits"},
      {{{"formats", {"bf16"}}}, "bf16"},
      {{{"formats", {"e5m10"}}}, "at most 8 bits"},
      {{{"formats", {"nonsense"}}}, "nonsense"},
      {{{"bits", Json::array()}}, "both empty"},
      {{{"groups", {-1}}}, "groups = -1"},
      {{{"groups", Json::array()}}, "groups is empty"},
      {{{"activations", {"many"}}}, "activations = many"},
      {{{"activations", {"8+gauss"}}}, "+gauss belongs to training"},
      {{{"kv", {"4"}}, {"kv_granularity", "row"}}, "kv_granularity = row"},
      {{{"calibration_tokens", 0}}, "calibration_tokens = 0"},
      {{{"calibration_seeds", {-1}}}, "calibration_seeds = -1"},
      {{{"calibration_seeds", Json::array()}}, "calibration_seeds is empty"},
      {{{"evaluation_tokens", -5}}, "evaluation_tokens = -5"},
      {{{"damping", 0}}, "damping = 0"},
      {{{"bit", 3}}, "bits"},
  };
  for (const Case& c : cases) {
    try {
      PtqConfig config;
      fill(config, c.options, "the command line");
      ptq_cells(config);
      ADD_FAILURE() << c.options;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(c.words), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace bitlaw
