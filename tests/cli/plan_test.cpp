// `bitlaw plan`: files of fits and devices, several laws, and refused requests.
#include <gtest/gtest.h>

#include <string>

#include "base/config.h"
#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

class PlanVerb : public World {
 protected:
  void write(const std::string& name, const std::string& text) {
    write_text(around_.directory / name, text);
  }
};

TEST_F(PlanVerb, HoursOfADevice) {
  const Json plan = json_of({"plan", "--gpu-hours", "1e4", "--device", "h100", "--json"});
  EXPECT_EQ(plan.at("optimum").at("P_w"), 8);
  EXPECT_NEAR(plan.at("optimum").at("gpu_hours").get<double>(), 1e4, 1e-6);
  EXPECT_NE(plan.at("binding").get<std::string>().find("gpu_hours"), std::string::npos);

  write("devices.toml", "[mine]\n16 = 1e14\n8 = 1.2e14\n");
  const Json own = json_of(
      {"plan", "--gpu-hours", "1e4", "--device", "mine", "--devices", "devices.toml", "--json"});
  EXPECT_EQ(own.at("optimum").at("P_w"), 16) << "1.2 times as fast does not pay for 8 bits";

  expect_refused({"plan", "--gpu-hours", "10", "--device", "h10O"}, {"did you mean 'H100'?"});
  expect_refused({"plan", "--gpu-hours", "10"}, {"device"});
  write("broken.toml", "[mine]\nfast = true\n");
  expect_refused({"plan", "--gpu-hours", "10", "--device", "mine", "--devices", "broken.toml"},
                 {"mine.fast"});
  expect_refused({"plan", "--gpu-hours", "10", "--device", "mine", "--devices", "nowhere.toml"},
                 {"nowhere.toml"});
}

TEST_F(PlanVerb, WhatIsGivenIsNotFree) {
  const Json plan = json_of({"plan", "--compute", "1e20", "--precision", "W4A4", "--json"});
  EXPECT_EQ(plan.at("optimum").at("P_w"), 4);
  EXPECT_EQ(plan.at("request").at("free"), Json({"N", "D"}));
  const Json all =
      json_of({"plan", "--params", "1e9", "--tokens", "1e10", "--bits", "4", "--json"});
  EXPECT_EQ(all.at("optimum").at("N"), 1e9);
  EXPECT_EQ(all.at("request").at("free"), Json::array());
  expect_refused({"plan", "--compute", "1e20", "--free", "N,D,P", "--bits", "4"},
                 {"bits: P is given and free"});

  const auto free_in_config = [&](const std::string& params) {
    const Outcome out = run({"plan", "--compute", "1e20", "--params", params, "--print-config"});
    return parse_toml(out.out, "standard output").at("free");
  };
  EXPECT_EQ(free_in_config("0"), Json({"N", "D", "P"}));
  EXPECT_EQ(free_in_config("1e9"), Json({"D", "P"}));
}

TEST_F(PlanVerb, MemoryThatHoldsNothing) {
  expect_refused(
      {"plan", "--free", "D,P", "--params", "1e12", "--compute", "1e24", "--memory-bytes", "1e9"},
      {"memory-bytes", "1 T parameters"});
}

// Refusals name what was typed, not the field behind it.
TEST_F(PlanVerb, OptionsWithoutEffectAreRefusedByTheirNames) {
  const auto refused = [&](std::vector<std::string> more, std::vector<std::string> parts) {
    std::vector<std::string> arguments{"plan", "--compute", "1e21"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_refused(arguments, parts);
  };
  refused({"--memory-bytes", "4e9", "--storage", "4:q4_k"}, {"--storage: ", "--integer-bits"});
  refused({"--kv-share", "0.5"}, {"--kv-share: ", "give --memory-bytes and --context"});
  refused({"--utilisation", "0.2"}, {"--utilisation: ", "give --gpu-hours and --device"});
  refused({"--unique-tokens", "1e9"}, {"--unique-tokens: kumar"});
  refused({"--tied-head"}, {"--tied-head: "});
  refused({"--devices", "devices.toml"}, {"--devices: "});
  refused({"--law", "quest", "--laws", "kumar,chinchilla"}, {"--law quest: --laws"});
}

TEST_F(PlanVerb, SeveralLaws) {
  const Json document = json_of(
      {"plan", "--laws", "kumar,kumar-no-offsets,chinchilla", "--compute", "1e21", "--json"});
  EXPECT_EQ(document.at("plans").size(), 3u);
  EXPECT_EQ(document.at("agreement").at("P_w").at("agree"), false);
  const Outcome text = run({"plan", "--laws", "all", "--compute", "1e21"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("disagree"), std::string::npos);
  const Outcome dry =
      run({"plan", "--laws", "kumar,chinchilla", "--compute", "1e21", "--dry-run", "--json"});
  EXPECT_EQ(parse_json(dry.out, "standard output").at("laws").size(), 2u);
}

TEST_F(PlanVerb, SeveralFits) {
  for (const char* name : {"one.json", "two.json"}) {
    json_of({"fit", "table.csv", "--law", "chinchilla", "--out", name, "--draws", "20", "--json"});
  }
  const Json document = json_of({"plan", "--fit", "one.json", "--fit", "two.json", "--free", "N,D",
                                 "--compute", "1e21", "--json"});
  EXPECT_EQ(document.at("plans")[1].at("name"), "chinchilla #2");
  EXPECT_EQ(document.at("agreement").at("N").at("agree"), true);
  EXPECT_NE(document.at("notes")[0].get<std::string>().find("same table"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
