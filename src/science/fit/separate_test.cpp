#include "fit/separate.h"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>

#include "laws/forms/chinchilla.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

// D / N from 20 to 24.2: what falls with size and what falls with data look alike.
std::vector<Observation> nearly_proportional() {
  std::vector<Observation> rows;
  for (int i = 0; i < 24; ++i) {
    Observation run;
    run.params = 1e7 * std::pow(1.25, i), run.tokens = 20 * std::pow(1.1, i % 3) * run.params;
    rows.push_back(run);
  }
  return rows;
}

StageSetup stage_of(const std::vector<double>& values) {
  StageSetup setup;
  setup.law = find_law("chinchilla");
  setup.settings.huber = std::numeric_limits<double>::infinity();
  setup.base = values;
  setup.free = {0, 1, 2, 3, 4};
  setup.tied_to.assign(5, -1);
  return setup;
}

// The flattest direction's standard error, from the rows themselves.
double flattest_error(const StageSetup& setup, const std::vector<Observation>& rows,
                      const Vector& lengths, const Vector& direction) {
  Matrix jacobian = stage_jacobian(setup, rows, setup.base).topRows(static_cast<long>(rows.size()));
  for (long j = 0; j < jacobian.cols(); ++j) jacobian.col(j) /= lengths[j];
  const Eigen::JacobiSVD<Matrix> svd(jacobian, Eigen::ComputeThinV);
  const Vector along = svd.matrixV().transpose() * direction;
  return (along.array() / svd.singularValues().array()).matrix().norm();
}

TEST(SeparatingRun, GainsWhatItSays) {
  const StageSetup setup = stage_of({1.8, 400, 1800, 0.34, 0.37});
  std::vector<Observation> rows = nearly_proportional();
  for (Observation& row : rows) row.loss_nats = predict(*setup.law, setup.base.data(), row);
  const SeparatingRun found = separating_run(setup, rows, setup.base);

  Matrix jacobian = stage_jacobian(setup, rows, setup.base).topRows(static_cast<long>(rows.size()));
  const Vector lengths = jacobian.colwise().norm();
  for (long j = 0; j < jacobian.cols(); ++j) jacobian.col(j) /= lengths[j];
  const Vector direction = Eigen::JacobiSVD<Matrix>(jacobian, Eigen::ComputeThinV).matrixV().col(4);
  const double before = flattest_error(setup, rows, lengths, direction);
  rows.push_back(found.run);
  const double after = flattest_error(setup, rows, lengths, direction);
  // The condition number, some 1e4, squared, times rounding.
  EXPECT_NEAR(1 - after / before, found.gain, 1e-6);
  EXPECT_GT(found.gain, 0.05);
}

TEST(SeparatingRun, LeavesTheLineThatTheRowsLieOn) {
  const StageSetup setup = stage_of({1.8, 400, 1800, 0.34, 0.37});
  std::vector<Observation> rows = nearly_proportional();
  for (Observation& row : rows) row.loss_nats = predict(*setup.law, setup.base.data(), row);
  const SeparatingRun found = separating_run(setup, rows, setup.base);
  const double ratio = found.run.tokens / found.run.params;
  EXPECT_TRUE(ratio > 24.3 || ratio < 19.9) << ratio;
  EXPECT_NE(found.words.find("the table"), std::string::npos) << found.words;
  EXPECT_NE(found.words.find("D/N = "), std::string::npos) << found.words;
}

TEST(SeparatingRun, WorksOnQuantizedRowsToo) {
  std::vector<Observation> cells;
  for (const Observation& row : simulate({.post = {3, 4}})) {
    if (row.is_post_training()) cells.push_back(row);
  }
  StageSetup setup = stage_of(small_model_constants());
  setup.law = find_law("kumar");
  setup.settings.stage = Stage::kPost;
  setup.tied_to.assign(setup.law->parameters.size(), -1);
  setup.free = {Kumar::kCT, Kumar::kGammaD, Kumar::kGammaN, Kumar::kGammaPost};
  const SeparatingRun found = separating_run(setup, cells, setup.base);
  EXPECT_TRUE(found.run.is_post_training());
  EXPECT_GT(found.gain, 0);
  EXPECT_LT(found.gain, 1);
}

}  // namespace
}  // namespace bitlaw
