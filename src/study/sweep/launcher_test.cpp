#include "sweep/launcher.h"

#include <gtest/gtest.h>

#include <set>

#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(Launcher, IsFoundByItsName) {
  std::set<std::string> names;
  for (const Launcher& launcher : launchers()) {
    EXPECT_EQ(&launcher_named(launcher.name), &launcher);
    EXPECT_NE(launcher.launch, nullptr);
    EXPECT_NE(launcher_help().find(std::string(launcher.name) + " (" + launcher.help + ")"),
              std::string::npos);
    names.insert(launcher.name);
  }
  EXPECT_EQ(names.size(), launchers().size());
}

TEST(Launcher, AnUnknownNameIsRefusedWithTheNearest) {
  EXPECT_EQ(error_of([] { launcher_named("lokal"); }),
            "unknown launcher 'lokal'; did you mean 'local'?");
  const std::string far = error_of([] { launcher_named("x"); });
  for (const Launcher& launcher : launchers())
    EXPECT_NE(far.find(launcher.name), std::string::npos) << far;
}

}  // namespace
}  // namespace bitlaw
