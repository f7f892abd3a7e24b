#include "model/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "model/activations.h"
#include "ops/loss.h"

namespace bitlaw {
namespace {

struct Subject {
  Context like;
  Model model;
  Parameters parameters;

  Subject(const Recipe& recipe, uint64_t seed, const Backend* backend = &kCpuBackend)
      : model(shape(), recipe), parameters(model.make_parameters()) {
    like.backend = backend;
    model.initialize(parameters, seed);
    Context context;
    context.backend = backend;
    model.prepare(context, parameters, false);
  }
  static ModelConfig shape() {
    ModelConfig config;
    config.width = 48;
    config.layers = 2;
    config.heads = 3;
    config.hidden = 144;
    config.vocabulary = 300;
    config.sequence = 70;  // more than one chunk of rows
    return config.resolved();
  }
};

std::vector<std::vector<uint16_t>> some_texts() {
  std::vector<std::vector<uint16_t>> texts(7, std::vector<uint16_t>(71));
  for (size_t w = 0; w < texts.size(); ++w) {
    for (size_t i = 0; i < texts[w].size(); ++i)
      texts[w][i] = static_cast<uint16_t>(random_below(9, w, i, 300));
  }
  return texts;
}

Recipe fp32_recipe() {
  return make_recipe({.weights = "32", .activations = "32", .kv = "32", .queries = "32"});
}

class Comparison : public testing::Test {
 protected:
  const std::vector<std::vector<uint16_t>> texts = some_texts();
  const std::vector<std::span<const uint16_t>> windows{texts.begin(), texts.end()};
  ThreadPool pool{2};
};

TEST_F(Comparison, LossesAreThoseOfPerTokenLossesBitForBit) {
  for (const Recipe& recipe : {Recipe(), fp32_recipe()}) {
    const Subject a(recipe, 1), b(recipe, 2);
    const Baseline baseline = evaluate_baseline(a.model, a.parameters, windows, pool);
    const std::vector<TokenComparison> got =
        compare_to_baseline(baseline, b.model, b.parameters, windows, pool);
    const std::vector<float> losses = per_token_losses(b.model, b.parameters, windows, pool);
    EXPECT_EQ(baseline.losses, per_token_losses(a.model, a.parameters, windows, pool));
    ASSERT_EQ(got.size(), losses.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].loss, losses[i]);
      ASSERT_EQ(got[i].baseline_loss, baseline.losses[i]);
    }
  }
}

TEST_F(Comparison, AModelDoesNotDifferFromItself) {
  for (const Recipe& recipe : {Recipe(), fp32_recipe()}) {
    const Subject a(recipe, 1);
    const Baseline baseline = evaluate_baseline(a.model, a.parameters, windows, pool);
    for (const TokenComparison& token :
         compare_to_baseline(baseline, a.model, a.parameters, windows, pool)) {
      ASSERT_EQ(token.kl, 0);
      ASSERT_TRUE(token.same_top);
      ASSERT_EQ(token.loss, token.baseline_loss);
    }
  }
}

TEST_F(Comparison, ThreadsChangeNothing) {
  const Subject a({}, 1), b({}, 2);
  const auto of_threads = [&](int threads) {
    ThreadPool own(threads);
    return compare_to_baseline(evaluate_baseline(a.model, a.parameters, windows, own), b.model,
                               b.parameters, windows, own);
  };
  const std::vector<TokenComparison> one = of_threads(1), three = of_threads(3);
  for (size_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(one[i].kl, three[i].kl);
    ASSERT_EQ(one[i].loss, three[i].loss);
    ASSERT_EQ(one[i].same_top, three[i].same_top);
  }
}

// Against the definition on the reference backend, sums in double throughout: one window of both
// models, their logits from head_logits.
TEST_F(Comparison, DivergenceIsThatOfTheTwoDistributions) {
  const Subject a({}, 1, &kReferenceBackend), b({}, 2, &kReferenceBackend);
  const std::span<const std::span<const uint16_t>> one(windows.data(), 1);
  const std::vector<TokenComparison> got =
      compare_to_baseline(evaluate_baseline(a.model, a.parameters, one, pool, a.like), b.model,
                          b.parameters, one, pool, b.like);
  const int64_t T = 70, V = 300;
  const auto logits_of = [&](const Subject& subject) {
    Context context;
    context.backend = &kReferenceBackend;
    const ActivationsPtr activations = make_activations(subject.model, false);
    Tensor losses = Tensor::empty(DType::kF32, {T}), logits = Tensor::empty(DType::kF32, {T, V});
    subject.model.forward(context, subject.parameters, one[0].first(70), one[0].subspan(1),
                          *activations, losses);
    head_logits(context, activations->head_input, subject.model.head_weight(), logits);
    return logits;
  };
  const Tensor p_logits = logits_of(a), q_logits = logits_of(b);
  for (int64_t t = 0; t < T; ++t) {
    double p_sum = 0, q_sum = 0, kl = 0;
    for (int64_t v = 0; v < V; ++v) {
      p_sum += std::exp(p_logits.at(t * V + v));
      q_sum += std::exp(q_logits.at(t * V + v));
    }
    for (int64_t v = 0; v < V; ++v) {
      const double p = std::exp(p_logits.at(t * V + v)) / p_sum,
                   q = std::exp(q_logits.at(t * V + v)) / q_sum;
      kl += p * std::log(p / q);
    }
    EXPECT_NEAR(got[static_cast<size_t>(t)].kl, kl, 0x1p-24 * kl + 1e-13);  // stored as a float
    EXPECT_GT(kl, 0);
  }
}

}  // namespace
}  // namespace bitlaw
