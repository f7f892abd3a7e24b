#include "ptq/config.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

TEST(PtqConfig, CellsAreMethodsTimesGroupsTimesFormatsEachOnce) {
  PtqConfig config;
  config.bits = {3, 4, 3};
  config.formats = {"e2m1", "int4"};
  config.groups = {0, 128};
  const std::vector<PtqCell> cells = ptq_cells(config);
  ASSERT_EQ(cells.size(), 2u * 2 * 3);
  EXPECT_EQ(cells[0].method, PtqMethod::kRtn);
  EXPECT_EQ(cells[0].format.name(), "int3");
  EXPECT_EQ(cells[0].group, 0);
  EXPECT_EQ(cells[2].format.name(), "e2m1");
  EXPECT_EQ(cells[3].group, 128);
  EXPECT_EQ(cells[6].method, PtqMethod::kGptq);
}

TEST(PtqConfig, NamesTheKeyThatIsWrong) {
  struct Case {
    Json options;
    const char* words;
  };
  const std::vector<Case> cases{
      {{{"methods", {"gtpq"}}}, "is it 'gptq'?"},
      {{{"methods", {"magic"}}}, "known are rtn and gptq"},
      {{{"methods", Json::array()}}, "methods is empty"},
      {{{"bits", {1}}}, "bits = 1"},
      {{{"bits", {9}}}, "2 to 8 bits"},
      {{{"formats", {"bf16"}}}, "formats = bf16"},
      {{{"formats", {"e5m10"}}}, "at most 8 bits"},
      {{{"formats", {"nonsense"}}}, "nonsense"},
      {{{"bits", Json::array()}}, "both empty"},
      {{{"groups", {-1}}}, "groups = -1"},
      {{{"groups", Json::array()}}, "groups is empty"},
      {{{"calibration_tokens", 0}}, "calibration_tokens = 0"},
      {{{"calibration_seed", -1}}, "calibration_seed = -1"},
      {{{"evaluation_tokens", -5}}, "evaluation_tokens = -5"},
      {{{"damping", 0}}, "damping = 0"},
      {{{"bit", 3}}, "bits"},
  };
  for (const Case& c : cases) {
    try {
      PtqConfig config;
      fill(config, c.options, "the command line");
      ptq_cells(config);
      FAIL() << c.options;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(c.words), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace bitlaw
