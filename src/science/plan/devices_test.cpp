#include "plan/devices.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(Devices, FewerBitsAreNeverSlowerAndNeverMoreThanEightTimesFaster) {
  for (const Device& device : known_devices()) {
    EXPECT_GT(device.flops_16, 1e13) << device.name;
    EXPECT_GT(device.memory_bytes, 1e9) << device.name;
    EXPECT_NE(device.source, "") << device.name;
    double before = 0;
    for (const CostModel::Step& step : device.cost().steps) {
      EXPECT_LE(step.speed_up, 8) << device.name;
      EXPECT_LT(1 / step.speed_up, 1.0 + 1e-12) << device.name;
      EXPECT_GT(step.bits, before) << device.name;
      before = step.bits;
    }
    EXPECT_EQ(device.cost().of(16.0), 1) << device.name;
  }
}

TEST(Devices, NamesAreReadAsPeopleWriteThem) {
  Device device;
  for (const char* name : {"h100", "H100", "rtx 4090", "RTX-4090", "tpu_v5e"}) {
    EXPECT_EQ(find_device(name, nullptr, device), "") << name;
  }
  EXPECT_NE(find_device("h10", nullptr, device).find("did you mean 'H100'?"), std::string::npos);
  EXPECT_NE(find_device("abacus", nullptr, device).find("known: A100"), std::string::npos);
}

TEST(Devices, WithoutFourBitsTheyRunAtEight) {
  Device device;
  ASSERT_EQ(find_device("h100", nullptr, device), "");
  EXPECT_EQ(device.cost().of(4.0), device.cost().of(8.0));
  EXPECT_NEAR(device.cost().of(8.0), 0.5, 1e-4);
}

TEST(Devices, OnesOwnTableComesFirst) {
  const Json own{{"h100", {{"16", 1e14}, {"4", 3e14}}}, {"mine", {{"16", 5e13}}}};
  Device device;
  ASSERT_EQ(find_device("H100", own, device), "");
  EXPECT_EQ(device.flops_16, 1e14);
  EXPECT_EQ(device.cost().of(4.0), 1.0 / 3);
  EXPECT_EQ(device.cost().of(8.0), 1);
  ASSERT_EQ(find_device("mine", own, device), "");
  EXPECT_EQ(device.cost().of(4.0), 1);
  EXPECT_EQ(find_device("b200", own, device), "");

  const auto wrong = [&](const Json& entry) {
    return find_device("x", Json{{"x", entry}}, device);
  };
  EXPECT_NE(wrong(Json{{"8", 1e14}}).find("no rate at 16"), std::string::npos);
  EXPECT_NE(wrong(Json{{"16", -1}}).find("x.16 is not a positive number"), std::string::npos);
  EXPECT_NE(wrong(Json{{"16", 1e14}, {"fp8", 2e14}}).find("x.fp8 is unknown"), std::string::npos);
  EXPECT_NE(wrong(3).find("not a table"), std::string::npos);
  EXPECT_NE(find_device("x", Json::array(), device).find("not a table"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
