// With all parameters counted, embeddings and head are not shrunk: fits of simulated models whose
// embeddings are 30 to 75 % of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "fit/fit.h"
#include "laws/effective.h"
#include "laws/fixed_params.h"
#include "laws/registry.h"
#include "predict/model_shape.h"

namespace bitlaw {
namespace {

// Losses of kumar's published constants with N_eff = N_fixed + N f and log-normal noise.
std::vector<Observation> simulated_with_embeddings(uint64_t seed, double noise) {
  const Law& law = *find_law("kumar");
  const ModelShape shape{.vocabulary = 8192, .tied_head = true};
  std::vector<Observation> rows;
  uint64_t index = 0;
  for (const double matrices : {3e5, 1e6, 3e6, 1e7}) {
    for (const double tokens : {1e9, 4e9, 16e9}) {
      for (const double bits : {3.0, 4.0, 5.0, 6.0, 8.0, 16.0}) {
        Observation run;
        run.params = matrices, run.params_total = shape.total(matrices);
        run.tokens = tokens, run.bits_weights = bits;
        Observation counted = run;
        count_all_params(counted);
        run.loss_nats = predict(law, law.constants[0].values.data(), counted) *
                        std::exp(noise * random_normal(seed, 0, index++));
        rows.push_back(run);
      }
    }
  }
  return rows;
}

FitOptions quick() {
  FitOptions options;
  options.law = "kumar", options.draws = 0, options.starts = 40;
  options.params = "total";
  options.freeze = {"gamma_a", "n_a", "gamma_kv", "n_kv"};
  return options;
}

double value(const Fit& fit, const char* name) {
  return fit.values()[static_cast<size_t>(parameter_index(*find_law("kumar"), name))];
}

// P* of the weights under these constants.
double best_weight_bits(const Fit& fit) {
  const std::vector<double> values = fit.values();
  return best_bits(*find_law("kumar"), values.data(), 1e20, {true, false, false});
}

TEST(FixedParamsFit, RecoverGammaWhereEmbeddingsAreNotQuantized) {
  const std::vector<Observation> rows = simulated_with_embeddings(1, 0);
  const double least = 1 - rows.back().params / rows.back().params_total;
  const double most = 1 - rows.front().params / rows.front().params_total;
  EXPECT_NEAR(least, 0.2, 0.1);
  EXPECT_NEAR(most, 0.7, 0.1);
  const Fit fit = fit_law(rows, quick());
  EXPECT_NEAR(value(fit, "gamma_w"), 2.6745, 0.01);
  EXPECT_NEAR(value(fit, "n_w"), 0.3037, 0.01);
  EXPECT_NEAR(value(fit, "alpha"), 0.4965, 0.002);
  EXPECT_NEAR(fit.fixed.exponent, 0.39, 1e-6);
  EXPECT_NE(fmt::format("{}", fmt::join(fit.notes, " ")).find("which no precision shrinks"),
            std::string::npos);
}

// The share that four bits leave of the matrices: .696 in truth.
double share_at_four_bits(const Fit& fit) {
  return 1 - std::exp(-4 / value(fit, "gamma_w") + value(fit, "n_w"));
}

// The same rows as if every parameter were shrunk: N is the total, and no count without embeddings
// tells them apart. gamma_w hardly moves then; the offset, and with it f and P*, and alpha do.
TEST(FixedParamsFit, WithoutThemTheOffsetAndAlphaAreBiased) {
  double share = 0, alpha = 0, other_share = 0, other_alpha = 0;
  constexpr int kSeeds = 5;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::vector<Observation> rows = simulated_with_embeddings(seed, 2e-3);
    const Fit fit = fit_law(rows, quick());
    for (Observation& row : rows) row.params = row.params_total;
    const Fit other = fit_law(rows, quick());
    for (const auto& [name, each] : {std::pair{"corrected", &fit}, {"shrunk", &other}}) {
      RecordProperty(
          fmt::format("seed_{}_{}", seed, name),
          fmt::format("gamma_w {:.3f} n_w {:.3f} f(4) {:.3f} P*_w {:.2f} alpha {:.4f}",
                      value(*each, "gamma_w"), value(*each, "n_w"), share_at_four_bits(*each),
                      best_weight_bits(*each), value(*each, "alpha")));
    }
    share += share_at_four_bits(fit) / kSeeds, alpha += value(fit, "alpha") / kSeeds;
    other_share += share_at_four_bits(other) / kSeeds;
    other_alpha += value(other, "alpha") / kSeeds;
    EXPECT_GT(best_weight_bits(fit), 2) << seed;
    EXPECT_LT(best_weight_bits(other), 1.5) << seed << ": the least bits that are allowed";
  }
  EXPECT_NEAR(share, 0.696, 0.01);
  EXPECT_NEAR(alpha, 0.4965, 0.005);
  EXPECT_GT(other_share, 0.8) << "nothing to correct?";
  EXPECT_LT(other_alpha, 0.47);
}

// The default count is what it was, whatever embeddings there are.
TEST(FixedParamsFit, WithoutEmbeddingsNothingIsFixed) {
  std::vector<Observation> rows = simulated_with_embeddings(2, 1e-3);
  FitOptions options = quick();
  options.params = "non-embedding";
  const Fit with = fit_law(rows, options);
  for (Observation& row : rows) row.params_total = 0;
  const Fit without = fit_law(rows, options);
  EXPECT_EQ(with.values(), without.values());
}

// Losses by N from FLOPs: the table's N says nothing of attention and head, its C does.
TEST(FixedParamsFit, ByFlopsNIsThatOfTheCompute) {
  const Law& law = *find_law("chinchilla");
  const std::span<const double> truth = law.constants[0].values;
  std::vector<Observation> rows;
  for (const double params : {1e7, 4e7, 2e8, 1e9}) {
    for (const double tokens : {1e9, 5e9, 2e10}) {
      Observation run;
      run.params = params, run.tokens = tokens;
      run.compute = 6 * params * (1 + 30 / std::sqrt(params / 1e4)) * tokens;
      Observation counted = run;
      ASSERT_TRUE(count_params_by_compute(counted));
      run.loss_nats = predict(law, truth.data(), counted);
      rows.push_back(run);
    }
  }
  FitOptions options;
  options.law = "chinchilla", options.draws = 0, options.params = "flops";
  const Fit fit = fit_law(rows, options);
  for (size_t i = 0; i < truth.size(); ++i)
    EXPECT_NEAR(fit.values()[i] / truth[i], 1, 1e-3) << law.parameters[i].name;
  EXPECT_EQ(fit.other_count.params, "non-embedding");
  // N by FLOPs grows more slowly than N, so a fit to N finds a smaller exponent.
  const auto alpha = static_cast<size_t>(parameter_index(law, "alpha"));
  EXPECT_LT(fit.other_count.values[alpha], 0.95 * truth[alpha]);
  rows[3].compute = kUnknown;
  try {
    fit_law(rows, options);
    FAIL() << "a row without C was counted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("flops needs C"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace bitlaw
