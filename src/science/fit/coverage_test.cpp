// Do intervals hold the truth as often as they say? A few studies only; bench/run coverage draws
// hundreds, and docs/fitting.md has what came out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "simulate/simulate.h"

namespace bitlaw {
namespace {

constexpr int kStudies = 60;
const std::vector<std::string> kTruth{"E=2.1", "A=260", "B=4200", "alpha=0.44", "beta=0.53"};

StudyOptions small_study(double shared) {
  StudyOptions options;
  options.params = {1e5, 1.4e5, 2e5, 2.8e5, 4e5, 5.6e5, 8e5, 1.1e6, 1.6e6, 2.2e6};
  options.tokens = {2e6, 8e6, 32e6};
  options.shared = shared;
  options.trunk = shared > 0 ? "size" : "run";
  return options;
}

struct Held {
  int bootstrap = 0, profile = 0;
};

// How many of the studies' intervals of a constant hold its true value.
Held count(const std::string& constant, StudyOptions options, bool by_row) {
  const Law& law = *find_law("chinchilla");
  const std::vector<Observation> runs = design_runs(law, options);
  const Truth truth = truth_for(law, runs, "", nullptr, kTruth);
  const int i = parameter_index(law, constant);
  const double expected = truth.values[static_cast<size_t>(i)];
  FitOptions fitting;
  fitting.law = "chinchilla", fitting.objective = "least-squares";
  fitting.starts = 4, fitting.draws = 100, fitting.hold_out = false, fitting.profile = {constant};
  Held held;
  for (int study = 0; study < kStudies; ++study) {
    options.seed = 100 + static_cast<uint64_t>(study);
    std::vector<Observation> rows = draw_study(truth, runs, options).rows;
    for (Observation& row : rows) {
      if (by_row) row.cluster.clear();
    }
    const Fit fit = fit_law(rows, fitting);
    const FittedParameter& p = fit.parameters[static_cast<size_t>(i)];
    held.bootstrap += p.low <= expected && expected <= p.high;
    const ProfileInterval& profile = fit.profiles.at(0);
    held.profile += !(expected < profile.low) && !(expected > profile.high);
  }
  return held;
}

// 60 studies at 90 %: 54 hold it, with a standard deviation of 2.3; five of them below are 42.
constexpr int kFewest = 42;

TEST(Coverage, OfIndependentRunsIsNearTheLevel) {
  const Held held = count("alpha", small_study(0), false);
  EXPECT_GE(held.bootstrap, kFewest);
  EXPECT_GE(held.profile, kFewest);
}

// Where runs of one size err together, an interval that takes them for independent holds A or alpha
// much less often than one by trunks.
TEST(Coverage, OfTrunksNeedsTheirClusters) {
  const Held by_trunk = count("alpha", small_study(0.9), false);
  const Held by_row = count("alpha", small_study(0.9), true);
  EXPECT_GE(by_trunk.bootstrap, kFewest);
  EXPECT_GE(by_trunk.profile, kFewest);
  EXPECT_LT(by_row.bootstrap, kFewest);
  EXPECT_LT(by_row.profile, kFewest);
}

}  // namespace
}  // namespace bitlaw
