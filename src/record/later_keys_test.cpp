#include "record/later_keys.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

TEST(LaterKeys, AreAddedWhereARecordLacksThemAndNotHashedWhereTheyAreNeutral) {
  Json old = {{"optimizer", {{"beta1", 0.9}}}, {"train", {{"lr", 0.02}}}};
  Json now = old;
  add_later_keys(now);
  EXPECT_EQ(now["optimizer"], (Json{{"beta1", 0.9}, {"batch_power", 0}}));
  EXPECT_EQ(now["train"], old["train"]);
  remove_later_keys(now);
  EXPECT_EQ(now, old);
}

TEST(LaterKeys, KeepOtherValues) {
  Json config = {{"optimizer", {{"batch_power", 0.5}}}};
  const Json before = config;
  add_later_keys(config);
  EXPECT_EQ(config, before);
  remove_later_keys(config);
  EXPECT_EQ(config, before);
}

TEST(LaterKeys, NeedNoSection) {
  Json third_party = {{"train", {{"tokens", nullptr}}}};
  const Json before = third_party;
  add_later_keys(third_party);
  remove_later_keys(third_party);
  EXPECT_EQ(third_party, before);
}

}  // namespace
}  // namespace bitlaw
