// Large tables: refits with shared derivatives agree with the solver, settings that rows share change
// no bit, and starts on a sketch reach the minimum over all rows.
#include "fit/refits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fit/bootstrap.h"
#include "fit/multistart.h"
#include "fit/starts.h"
#include "simulate/simulate.h"

namespace bitlaw {
namespace {

constexpr double kNoise = 1e-3;

// Training rows of the first published constants of a law.
std::vector<Observation> rows_of(const char* name, const StudyOptions& options) {
  const Law& law = *find_law(name);
  const std::vector<Observation> runs = design_runs(law, options);
  return draw_study(truth_for(law, runs, "", nullptr, {}), runs, options).rows;
}

std::vector<double> spread(double low, double high, int count) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(low * std::pow(high / low, i / (count - 1.0)));
  return out;
}

// All settings differ.
StudyOptions grid(int sizes, int lengths) {
  return {.params = spread(3e7, 3e9, sizes),
          .tokens = spread(1.5e9, 1.5e11, lengths),
          .weights = {4, 8},
          .activations = {4, 8},
          .kv = {},
          .post = {},
          .noise = kNoise};
}

// The same few settings, again and again.
StudyOptions replicated(int64_t replicates) {
  StudyOptions out = grid(5, 5);
  out.replicates = replicates;
  return out;
}

StageSetup setup_for(const Law& law, const std::vector<Observation>& rows) {
  StageSetup out;
  out.law = &law;
  out.base.assign(law.constants[0].values.begin(), law.constants[0].values.end());
  out.tied_to.assign(out.base.size(), -1);
  const bool bits = std::any_of(rows.begin(), rows.end(),
                                [](const Observation& row) { return row.bits_weights < 16; });
  for (size_t i = 0; i < law.training_parameters; ++i) {
    const Quantity of = law.parameters[i].needs.of;
    const bool about_kv = of == Quantity::kKvBits;
    const bool about_bits = of == Quantity::kWeightBits || of == Quantity::kActivationBits;
    if (!about_kv && (bits || !about_bits)) out.free.push_back(static_cast<int>(i));
  }
  return out;
}

std::vector<double> drawn_weights(const std::vector<Observation>& rows, int draw) {
  return draw_clusters(static_cast<int>(rows.size()), 3, draw, 0);
}

// Apart by at most `share` of a standard error, the spread of the draws, in every free constant.
void expect_refits_like_the_solver(const StageSetup& setup, const std::vector<Observation>& rows,
                                   int draws, double share) {
  const std::vector<double> best = fit_stage(setup, rows).values;
  const Refits refits(setup, rows, best);
  ASSERT_TRUE(refits.shares_derivatives());
  std::vector<std::vector<double>> ours, solved;
  for (int draw = 0; draw < draws; ++draw) {
    const std::vector<double> weights = drawn_weights(rows, draw);
    const StageMinimum quick = refits.refit(setup.base, weights);
    const StageMinimum sure = refit_stage(setup, rows, best, weights, 1e-13);
    EXPECT_TRUE(quick.converged);
    EXPECT_NEAR(quick.objective / sure.objective, 1, 1e-6);
    ours.push_back(quick.values), solved.push_back(sure.values);
  }
  for (const int i : setup.free) {
    const size_t at = static_cast<size_t>(i);
    double square = 0;
    for (const auto& values : solved) square += std::pow(values[at] - best[at], 2) / draws;
    for (int draw = 0; draw < draws; ++draw) {
      const size_t d = static_cast<size_t>(draw);
      EXPECT_NEAR(ours[d][at], solved[d][at], share * std::sqrt(square))
          << setup.law->parameters[at].name << " of draw " << draw;
    }
  }
}

TEST(Refits, AgreeWithTheSolverInAFiftiethOfAStandardError) {
  const std::vector<Observation> rows = rows_of("kumar", grid(40, 40));
  ASSERT_GT(rows.size(), Refits::kFewest);
  expect_refits_like_the_solver(setup_for(*find_law("kumar"), rows), rows, 12, 1.0 / 50);
}

TEST(Refits, AgreeForLeastSquaresAndLinearResiduals) {
  const std::vector<Observation> rows = rows_of("kumar", grid(40, 40));
  StageSetup setup = setup_for(*find_law("kumar"), rows);
  setup.settings.huber = std::numeric_limits<double>::infinity();
  setup.settings.linear = true;
  expect_refits_like_the_solver(setup, rows, 6, 1.0 / 50);
}

// A law that does not fit: residuals are not noise, and their second derivatives matter.
TEST(Refits, AgreeWhereTheLawIsWrong) {
  const std::vector<Observation> rows = rows_of("kumar", grid(40, 40));
  expect_refits_like_the_solver(setup_for(*find_law("chinchilla"), rows), rows, 6, 1.0 / 50);
}

TEST(Refits, AgreeOnAHundredThousandRows) {
  StudyOptions different = grid(320, 320), same = replicated(1000);
  different.weights = different.activations = {};
  for (const StudyOptions& options : {different, same}) {
    const std::vector<Observation> rows = rows_of("kumar", options);
    ASSERT_GE(rows.size(), 100'000u);
    expect_refits_like_the_solver(setup_for(*find_law("chinchilla"), rows), rows, 3, 1.0 / 50);
  }
}

TEST(Refits, FewRowsGoToTheSolver) {
  const std::vector<Observation> rows = rows_of("kumar", grid(8, 8));
  ASSERT_LT(rows.size(), Refits::kFewest);
  const StageSetup setup = setup_for(*find_law("kumar"), rows);
  const std::vector<double> best = fit_stage(setup, rows).values;
  const Refits refits(setup, rows, best);
  EXPECT_FALSE(refits.shares_derivatives());
  const std::vector<double> weights = drawn_weights(rows, 0);
  EXPECT_EQ(refits.refit(setup.base, weights).values,
            refit_stage(setup, rows, best, weights).values);
}

// At its bound a constant has no derivative to follow.
TEST(Refits, AConstantAtItsBoundGoesToTheSolver) {
  const std::vector<Observation> rows = rows_of("chinchilla", grid(80, 80));
  ASSERT_GT(rows.size(), Refits::kFewest);
  const StageSetup setup = setup_for(*find_law("chinchilla"), rows);
  std::vector<double> at_bound = fit_stage(setup, rows).values;
  at_bound[static_cast<size_t>(parameter_index(*setup.law, "alpha"))] =
      setup.law->parameters[static_cast<size_t>(parameter_index(*setup.law, "alpha"))].high;
  EXPECT_FALSE(Refits(setup, rows, at_bound).shares_derivatives());
}

// Rows of a few settings in one problem and, in parts too small to be looked through, one by one.
TEST(RowSettings, ChangeNoBit) {
  for (const char* name : {"kumar", "frantar-eff", "chinchilla"}) {
    const std::vector<Observation> rows = rows_of("kumar", replicated(64));
    const BoundLaw bound = bind_law(*find_law(name), rows);
    const Law& law = bound.law();
    ASSERT_FALSE(RowSettings(law, rows).all_differ());
    StageSetup setup = setup_for(law, rows);
    const Coordinates coordinates(law, setup.base, setup.free, setup.tied_to);
    const Vector x = coordinates.from_values(setup.base);
    const auto evaluate = [&](const std::vector<Observation>& some, Vector& r, Matrix& jacobian) {
      const ResidualProblem problem = make_problem(law, some, coordinates, setup.settings);
      r.resize(problem.rows), jacobian.resize(problem.rows, x.size());
      ASSERT_TRUE(problem.evaluate(x, r, &jacobian));
    };
    Vector all, part;
    Matrix of_all, of_part;
    evaluate(rows, all, of_all);
    constexpr size_t kPart = 512;
    for (size_t first = 0; first < rows.size(); first += kPart) {
      const size_t count = std::min(kPart, rows.size() - first);
      const auto begin = rows.begin() + static_cast<long>(first);
      const std::vector<Observation> some(begin, begin + static_cast<long>(count));
      ASSERT_TRUE(RowSettings(law, some).all_differ());
      evaluate(some, part, of_part);
      for (long i = 0; i < static_cast<long>(count); ++i) {
        const long at = static_cast<long>(first) + i;
        ASSERT_EQ(all[at], part[i]) << name << " row " << at;
        ASSERT_EQ(of_all.row(at), of_part.row(i)) << name << " row " << at;
      }
    }
  }
}

TEST(RowSettings, DifferentOnesStayRows) {
  const std::vector<Observation> rows = rows_of("kumar", grid(20, 20));
  EXPECT_TRUE(RowSettings(*find_law("kumar"), rows).all_differ());
}

// The lowest that sixteen starts reach over all rows, each by itself.
double lowest_of_all_rows(const StageSetup& setup, const std::vector<Observation>& rows) {
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  double lowest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 16; ++i) {
    const Vector start =
        starting_point(*setup.law, rows, coordinates, setup.settings, i, setup.seed);
    lowest = std::min(lowest, minimise_residuals(problem, start, {}).objective);
  }
  return lowest;
}

TEST(Sketch, AComparisonReachesTheMinimumOverAllRows) {
  const std::vector<Observation> rows = rows_of("kumar", grid(50, 50));
  ASSERT_GT(rows.size(), 8192u);
  for (const char* name : {"kumar", "chinchilla", "kumar-no-offsets", "quest", "panferov"}) {
    const BoundLaw bound = bind_law(*find_law(name), rows);
    StageSetup setup = setup_for(bound.law(), rows);
    setup.settings.huber = std::numeric_limits<double>::infinity();
    const Multistart found = fit_adaptively(setup, rows);
    EXPECT_TRUE(found.best.converged) << name;
    EXPECT_LE(found.best.objective, lowest_of_all_rows(setup, rows) * (1 + 1e-9)) << name;
  }
}

}  // namespace
}  // namespace bitlaw
