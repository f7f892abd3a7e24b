#include "fit/derived.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "laws/effective.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

FitOptions quick(const char* law, int64_t draws) {
  FitOptions options;
  options.law = law;
  options.starts = 16;
  options.draws = draws;
  options.hold_out = false;
  options.freeze = {"b=1.1277"};
  return options;
}

const Derived* find(const Fit& fit, const std::string& name) {
  const auto found = std::find_if(fit.derived.begin(), fit.derived.end(),
                                  [&](const Derived& each) { return each.name == name; });
  return found == fit.derived.end() ? nullptr : &*found;
}

const ProfileInterval* find_profile(const Fit& fit, const std::string& name) {
  const auto found = std::find_if(fit.profiles.begin(), fit.profiles.end(),
                                  [&](const ProfileInterval& each) { return each.name == name; });
  return found == fit.profiles.end() ? nullptr : &*found;
}

bool says(const Fit& fit, const std::string& words) {
  return std::any_of(fit.notes.begin(), fit.notes.end(), [&](const std::string& note) {
    return note.find(words) != std::string::npos;
  });
}

std::string error_of(const std::vector<Observation>& rows, const FitOptions& options) {
  try {
    fit_law(rows, options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// Where bits cost nothing, the fewest are best: that is the end of the search, not a number of the data.
TEST(Derived, ABestPrecisionAtTheEndOfTheSearchIsNone) {
  std::vector<Observation> rows = simulate({.noise = 1e-3});
  std::erase_if(rows, [](const Observation& row) {
    return row.is_post_training() || row.bits_activations < 16 || row.bits_kv < 16;
  });
  FitOptions options = quick("kumar", 30);
  options.freeze.push_back("gamma_w=0.1");
  options.freeze.push_back("n_w=0");
  const Fit fit = fit_law(rows, options);
  const Derived* best = find(fit, "P* (weights)");
  ASSERT_NE(best, nullptr);
  EXPECT_TRUE(std::isnan(best->value));
  EXPECT_TRUE(std::isnan(best->low));
  EXPECT_TRUE(std::isnan(best->high));
  EXPECT_NE(best->note.find("end of the search, 1 bit"), std::string::npos) << best->note;
  const std::string text = uncertainty_text(fit);
  EXPECT_NE(text.find("none"), std::string::npos) << text;
  EXPECT_EQ(text.find("nan"), std::string::npos) << text;
}

TEST(Derived, WithoutNoiseTheyAreTheTruths) {
  const std::vector<Observation> rows = simulate({.noise = 0, .delta_error = 0});
  const Fit fit = fit_law(rows, quick("kumar", 0));
  const Law& law = *find_law("kumar");
  const std::vector<double> truth = small_model_constants();
  const StageRows sorted = sort_rows(law, rows, quick("kumar", 0));
  const std::vector<DerivedQuantity> quantities = derived_quantities(law, sorted, truth);
  // Two exponents; ten precisions; P* of three parts and of all; four sizes at four P_post.
  ASSERT_EQ(quantities.size(), 2u + 10 + 4 + 16);
  ASSERT_EQ(fit.derived.size(), quantities.size());
  for (size_t i = 0; i < quantities.size(); ++i) {
    // The constants come out to 1e-5, P* is found to 1e-4 bits.
    EXPECT_EQ(fit.derived[i].name, quantities[i].about.name);
    EXPECT_NEAR(fit.derived[i].value / quantities[i].about.value, 1, 2e-4) << fit.derived[i].name;
    EXPECT_TRUE(std::isnan(fit.derived[i].low));
    EXPECT_EQ(fit.derived[i].note, "");
  }
  EXPECT_NEAR(find(fit, "a of N* ~ C^a")->value, 0.53 / (0.44 + 0.53), 1e-5);
  EXPECT_NEAR(find(fit, "N_eff/N at P_w = 3")->value, 1 - std::exp(-3 / 2.2 + 0.35), 1e-5);
}

TEST(Derived, HaveIntervalsFromTheDraws) {
  const Fit fit = fit_law(simulate({.delta_error = 2e-4}), quick("kumar", 60));
  const double truth = find(fit, "N_eff/N at P_w = 4")->value;
  for (const Derived& derived : fit.derived) {
    EXPECT_LT(derived.low, derived.high) << derived.name;
    EXPECT_GE(derived.value, derived.low - (derived.high - derived.low)) << derived.name;
    EXPECT_LE(derived.value, derived.high + (derived.high - derived.low)) << derived.name;
  }
  EXPECT_NEAR(truth, 1 - std::exp(-4 / 2.2 + 0.35), 0.02);
}

TEST(Derived, SayWhatTheyRestOnBesidesTheRows) {
  const Fit fit = fit_law(simulate({.weights = {4}, .post = {}}), quick("kumar", 0));
  ASSERT_NE(find(fit, "P* (weights)"), nullptr);
  EXPECT_NE(find(fit, "P* (weights)")->note.find("n_w"), std::string::npos);
  EXPECT_EQ(find(fit, "P* (activations)")->note, "");
  EXPECT_EQ(find(fit, "D_crit at N = 1e+05, P_post = 4"), nullptr);  // no delta was measured
}

TEST(Derived, ALawWithoutBitsHasExponentsAlone) {
  FitOptions options = quick("chinchilla", 0);
  options.freeze.clear();
  const Fit fit =
      fit_law(simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}}), options);
  EXPECT_EQ(fit.derived.size(), 2u);
}

TEST(Profiles, OfAFitContainItsValuesAndMostlyTheTruth) {
  FitOptions options = quick("kumar", 0);
  options.objective = "least-squares";
  options.profile = {"all", "derived"};
  const std::vector<double> truth = small_model_constants();
  const Law& law = *find_law("kumar");
  const Fit fit = fit_law(simulate({.delta_error = 2e-4}), options);
  int inside = 0, constants = 0;
  for (const FittedParameter& p : fit.parameters) {
    const ProfileInterval* profile = find_profile(fit, p.name);
    EXPECT_EQ(profile != nullptr, p.frozen.empty()) << p.name;
    if (!profile) continue;
    ++constants;
    EXPECT_LT(profile->low, p.value) << p.name;
    EXPECT_GT(profile->high, p.value) << p.name;
    const double expected = truth[static_cast<size_t>(parameter_index(law, p.name))];
    inside += profile->low <= expected && expected <= profile->high;
  }
  EXPECT_EQ(constants, 15);
  EXPECT_GE(inside, 9);  // 90 % each, though not independent
  for (const Derived& derived : fit.derived) {
    const ProfileInterval* profile = find_profile(fit, derived.name);
    EXPECT_EQ(profile != nullptr, derived.unit != "tokens") << derived.name;
    if (!profile) continue;
    EXPECT_LT(profile->low, derived.value) << derived.name;
    EXPECT_GT(profile->high, derived.value) << derived.name;
  }
  EXPECT_EQ(find_profile(fit, "D_crit at N = 1e+05, P_post = 4"), nullptr);
  EXPECT_TRUE(says(fit, "keep the training law"));
}

TEST(Profiles, GoThroughJsonUnchanged) {
  FitOptions options = quick("kumar", 20);
  options.profile = {"gamma_w", "derived"};
  const Fit fit = fit_law(simulate({.params = {1e5, 4e5}}), options);
  ASSERT_FALSE(fit.profiles.empty());
  const std::string text = dump_json(fit_to_json(fit));
  const Fit back = fit_from_json(parse_json(text, "test"), "test");
  EXPECT_EQ(dump_json(fit_to_json(back)), text);
  EXPECT_EQ(fit_text(back), fit_text(fit));
  EXPECT_NE(fit_text(fit).find("profile ["), std::string::npos);
}

TEST(Profiles, OfWhatWasNotFittedAreRefusedInASentence) {
  FitOptions options = quick("kumar", 0);
  const std::vector<Observation> rows = simulate({.params = {1e5, 4e5}, .kv = {}});
  options.profile = {"gama_w"};
  EXPECT_NE(error_of(rows, options).find("did you mean 'gamma_w'?"), std::string::npos);
  options.profile = {"gamma_kv"};
  EXPECT_NE(error_of(rows, options).find("was not fitted: the rows have 0 KV"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
