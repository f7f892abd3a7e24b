#include "fit/freeze_from.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

Fit fit_of(const char* law, std::vector<FittedParameter> parameters) {
  Fit out;
  out.law = law;
  out.parameters = std::move(parameters);
  return out;
}

const Fit kSizes =
    fit_of("chinchilla", {{.name = "E", .value = 1.75}, {.name = "A", .value = 400}});

std::vector<std::string> frozen(const Fit& other, const std::vector<std::string>& wanted,
                                std::vector<std::string> freeze = {}) {
  freeze_from(other, "fit.json", wanted, law_named("kumar"), {}, freeze);
  return freeze;
}

std::string error_of(const Fit& other, const std::vector<std::string>& wanted) {
  try {
    frozen(other, wanted);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

using Items = std::vector<std::string>;

TEST(FreezeFrom, TakesAllConstantsThatBothLawsHaveOrThoseNamed) {
  EXPECT_EQ(frozen(kSizes, {}), (Items{"E=1.75", "A=400"}));
  EXPECT_EQ(frozen(kSizes, {"A"}), (Items{"A=400"}));
  const Fit more = fit_of("gadre", {{.name = "E", .value = 2}, {.name = "eta", .value = 3}});
  EXPECT_EQ(frozen(more, {}), (Items{"E=2"}));
}

TEST(FreezeFrom, KeepsWhatIsFrozenAlready) {
  EXPECT_EQ(frozen(kSizes, {}, {"E = 2"}), (Items{"E = 2", "A=400"}));
}

TEST(FreezeFrom, RefusesNamesThatTheFitDoesNotHave) {
  const std::string error = error_of(kSizes, {"EE"});
  EXPECT_NE(error.find("fit.json"), std::string::npos) << error;
  EXPECT_NE(error.find("unknown constant 'EE'"), std::string::npos) << error;
}

TEST(FreezeFrom, RefusesAFitThatSharesNothing) {
  EXPECT_EQ(error_of(fit_of("gadre", {{.name = "eta", .value = 3}}), {}),
            "freeze-from: fit.json is a fit of gadre, which shares no constant with kumar");
}

}  // namespace
}  // namespace bitlaw
