#include "laws/fitted_on.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "laws/registry.h"

namespace bitlaw {
namespace {

TEST(FittedOn, EveryPublishedSetSaysItsRuns) {
  for (const Law& law : laws()) {
    for (const ConstantSet& set : law.constants) {
      if (set.is_published()) {
        EXPECT_NE(fitted_on(law.name, set.name), nullptr) << law.name << " " << set.name;
      }
    }
  }
}

TEST(FittedOn, EveryEntryIsOfASetAndItsRangesAreInOrder) {
  std::set<std::string> seen;
  for (const FittedOn& each : fitted_on()) {
    const std::string name = std::string(each.law) + " " + each.constants;
    EXPECT_TRUE(seen.insert(name).second) << name;
    const Law* law = find_law(each.law);
    ASSERT_NE(law, nullptr) << name;
    EXPECT_NE(find_constants(*law, each.constants), nullptr) << name;
    EXPECT_LE(each.least_params, each.most_params) << name;
    EXPECT_LE(each.least_tokens, each.most_tokens) << name;
    EXPECT_LE(each.least_bits, each.most_bits) << name;
    EXPECT_NE(std::string(each.source), "") << name;
  }
}

}  // namespace
}  // namespace bitlaw
