// A sketch keeps every precision's share, and is the rows themselves where they are few.
#include "fit/sketch.h"

#include <gtest/gtest.h>

#include <map>

#include "fit/multistart.h"
#include "fit/stage.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

TEST(Sketch, FewRowsAreAllOfThem) {
  const std::vector<Observation> rows = simulate({.post = {}});
  EXPECT_EQ(sketch_of(rows, rows.size(), 1).size(), rows.size());
  EXPECT_EQ(sketch_of({}, 10, 1).size(), 0u);
}

// Whatever the order of the rows and the period of the design: sorted rows are cut into equal
// parts, so a group of n rows meets at least n * share - 2 whole parts.
TEST(Sketch, EveryPrecisionSizeAndAmountKeepsItsShare) {
  StudyShape shape;
  shape.params = {1e5, 2e5, 4e5, 8e5, 16e5, 32e5, 64e5, 128e5};
  shape.tokens = {1e6, 2e6, 4e6, 8e6, 16e6, 32e6, 64e6, 128e6};
  shape.post = {};
  const std::vector<Observation> rows = simulate(shape);
  const std::vector<Observation> sketch = sketch_of(rows, 128, 5);
  ASSERT_EQ(sketch.size(), 128u);
  const double share = 128.0 / static_cast<double>(rows.size());
  std::map<double, int> all, kept, kept_tokens;
  for (const Observation& row : rows) ++all[row.bits_weights];
  for (const Observation& row : sketch) ++kept[row.bits_weights], ++kept_tokens[row.tokens];
  for (const auto& [bits, count] : all) EXPECT_GE(kept[bits], count * share - 2) << bits;
  EXPECT_EQ(kept_tokens.size(), shape.tokens.size());
}

// The minimum is that of all rows, whatever the sketch was.
TEST(Sketch, AFitIsOverAllRows) {
  StudyShape shape;
  shape.params = {1e5, 2e5, 4e5, 8e5, 16e5, 32e5}, shape.tokens = {1e6, 4e6, 16e6, 64e6, 256e6};
  shape.post = {};
  const std::vector<Observation> rows = simulate(shape);
  ASSERT_GT(rows.size(), 4 * 77u);  // more than four times the sketch
  StageSetup setup;
  setup.law = find_law("kumar");
  setup.base = small_model_constants();
  setup.tied_to.assign(setup.base.size(), -1);
  for (int i = 0; i < Kumar::kTrainingParameters; ++i) setup.free.push_back(i);
  setup.starts = 16;
  const StageMinimum fitted = fit_stage(setup, rows);
  EXPECT_TRUE(fitted.converged);
  EXPECT_GT(fitted.reached, 8);
  const StageMinimum again = refit_stage(setup, rows, fitted.values, {});
  EXPECT_NEAR(again.objective / fitted.objective, 1, 1e-12);
}

}  // namespace
}  // namespace bitlaw
