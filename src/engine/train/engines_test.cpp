#include "train/engines.h"

#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "ops/engine.h"

namespace bitlaw {
namespace {

const Engine kHere{"avx512+amx", "oneDNN 2.6.0"};

StateHeader state_of(const std::string& engine, const std::string& library,
                     std::vector<std::string> engines) {
  return {.run = "",
          .engine = engine,
          .library = library,
          .engines = std::move(engines),
          .steps = 0,
          .progress = {}};
}

std::string refusal(const StateHeader& state) {
  return error_of([&] { RunEngines(kHere).resume("state.bin", state, false); });
}

TEST(Engines, TheSameOneGoesOn) {
  RunEngines engines(kHere);
  EXPECT_EQ(engines.all(), std::vector<std::string>{"avx512+amx"});
  engines.resume("f", state_of("avx512+amx", "oneDNN 2.6.0", {"avx512+amx"}), false);
  EXPECT_EQ(engines.all(), std::vector<std::string>{"avx512+amx"});
  engines.resume("f", state_of("avx512+amx", "", {"avx2", "avx512+amx"}), false);
  EXPECT_EQ(engines.all(), (std::vector<std::string>{"avx2", "avx512+amx"}));
}

TEST(Engines, AnotherOneIsRefusedWithBothNamesAndAWayBack) {
  EXPECT_EQ(
      refusal(state_of("avx2", "oneDNN 2.6.0", {"avx2"})),
      "state.bin: was computed by the engine avx2, and this is avx512+amx, whose bits differ; "
      "resume it with BITLAW_ISA=avx2, or add --other-engine to go on all the same, which the "
      "result records");
  EXPECT_NE(
      refusal(state_of("cuda", "", {"cuda"})).find("resume it on a machine that has cuda, or"),
      std::string::npos);
  EXPECT_NE(
      refusal(state_of("avx512+amx", "oneDNN 3.1.0", {"avx512+amx"}))
          .find("avx512+amx (oneDNN 3.1.0), and this is avx512+amx (oneDNN 2.6.0), whose bits "
                "differ; resume it where oneDNN 3.1.0 is installed, or"),
      std::string::npos);
}

TEST(Engines, AnotherOneIsRecordedIfAskedFor) {
  RunEngines engines(kHere);
  engines.resume("f", state_of("avx2", "oneDNN 2.6.0", {"avx2"}), true);
  EXPECT_EQ(engines.all(), (std::vector<std::string>{"avx2", "avx512+amx"}));
}

TEST(Engines, OnlyStatesOfThisEngineAloneAreItsOwn) {
  const RunEngines engines(kHere);
  EXPECT_TRUE(engines.alone_computed(state_of("avx512+amx", "oneDNN 2.6.0", {"avx512+amx"})));
  EXPECT_FALSE(engines.alone_computed(state_of("avx512+amx", "oneDNN 3.1.0", {"avx512+amx"})));
  EXPECT_FALSE(
      engines.alone_computed(state_of("avx512+amx", "oneDNN 2.6.0", {"avx2", "avx512+amx"})));
  EXPECT_FALSE(engines.alone_computed(state_of("", "", {})));
}

TEST(Engines, TheNameSaysWhatItsSettingsChoose) {
  const Engine here = engine_here();
  EXPECT_TRUE(here.name.starts_with(name_of(best_isa()))) << here.name;
  EXPECT_TRUE(here.library.starts_with("oneDNN ")) << here.library;
  const char* isa = std::getenv("BITLAW_ISA");
  if (isa != nullptr) {
    EXPECT_EQ(here.name, isa);
    EXPECT_EQ(engine_settings(here.name), std::string("BITLAW_ISA=") + isa);
  }
}

}  // namespace
}  // namespace bitlaw
